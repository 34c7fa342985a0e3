// Curves over time, found from what a drawing shows at each step: gradients of the states, means of the gates.
import { toNumber } from "./numbers.js";
import { looks, lookState } from "./scene.js";

const gateLooks = [looks.indexOf("result"), looks.indexOf("gate")];

// "h_12" at step 12 is "h".
export function baseName(name, step) {
  const ending = `_${step}`;
  return step != null && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
}

// {states, gates}: lists of {key, label, layer, tint, points: [[step, node]]}, by first appearance; steps ascend.
export function findSeries(drawing, tape, strings) {
  const states = new Map();
  const gates = new Map();
  for (const block of drawing.blocks) {
    if (block.step == null) continue;
    const layer = strings[block.layer] ?? "";
    drawing.shapes[block.shape].nodes.forEach(([, , , , look, tint], i) => {
      const n = block.nodes[i];
      if (n == null || n < 0 || tape.phase(n) !== 0 || !tape.name(n)) return;
      const isGate = gateLooks.includes(look) && tint >= 0;
      if (look !== lookState && !isGate) return;
      const base = baseName(tape.name(n), block.step);
      const key = `${layer}:${base}`;
      const into = look === lookState ? states : gates;
      if (!into.has(key)) into.set(key, { key, label: base, layer, tint, points: [] });
      into.get(key).points.push([block.step, n]);
    });
  }
  const lists = [states, gates].map((map) => [...map.values()]);
  for (const list of lists) {
    const layers = new Set(list.map((s) => s.layer));
    for (const series of list) {
      series.points.sort((a, b) => a[0] - b[0]);
      if (layers.size > 1) series.label = `${series.layer} ${series.label}`;
    }
  }
  return { states: lists[0], gates: lists[1] };
}

// Numbers of a series: [[step, number]]; what was not computed is left out.
export function gradientPoints(series, tape) {
  return series.points.filter(([, n]) => tape.hasGradient(n)).map(([t, n]) => [t, toNumber(tape.norm(n))]);
}

export function meanPoints(series, tape) {
  return series.points.filter(([, n]) => tape.stats(n)).map(([t, n]) => [t, toNumber(tape.stats(n)[1])]);
}

// The ends of an axis around all finite numbers; a logarithmic one takes the positive ones and whole decades, at most so many.
export function logAxis(lists, mostDecades = 40) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists)
    for (const [, x] of list) if (x > 0 && Number.isFinite(x)) [low, high] = [Math.min(low, x), Math.max(high, x)];
  if (low > high) return null;
  const top = Math.ceil(Math.log10(high) - 1e-9) + 0; // no negative zero
  const bottom = Math.max(Math.floor(Math.log10(low)), top - mostDecades);
  return { low: Math.min(bottom, top - 1), high: top };
}
