// Far away, a step is one stripe, coloured by the gradient of its states; all of them on one canvas.
import { openCanvas, themeColour } from "./dom.js";
import { bandOf, levelOf } from "./gradient_scale.js";
import { toNumber } from "./numbers.js";
import { looks, lookState } from "./scene.js";

// Stripes of a drawing: {layer, step, column, norm (the largest of its states; null not computed), nodes}, by layer from top to bottom.
export function makeStripes(scene, tape) {
  const { drawing } = scene;
  const tops = new Map();
  const columns = new Map(scene.columns.map((c) => [c.step, c]));
  const stripes = new Map();
  drawing.blocks.forEach((block, b) => {
    const column = columns.get(block.step);
    const anyNode = block.nodes.find((n) => n != null && n >= 0);
    if (!column || scene.hidden[b] || (anyNode !== undefined && tape.phase(anyNode) !== 0)) return;
    tops.set(block.layer, Math.min(tops.get(block.layer) ?? Infinity, scene.blocks[b].top));
    const key = `${block.layer},${block.step}`;
    if (!stripes.has(key)) stripes.set(key, { layer: block.layer, step: block.step, column, norm: null, nodes: [] });
    const stripe = stripes.get(key);
    const shape = drawing.shapes[block.shape];
    const all = block.nodes.map((_, i) => i);
    const states = all.filter((i) => shape.nodes[i][4] === lookState);
    for (const i of states.length ? states : all) {
      if (looks[shape.nodes[i][4]] === "port") continue;
      for (const n of scene.nodesOf(b, i)) {
        stripe.nodes.push(n);
        if (!tape.hasGradient(n)) continue;
        const norm = toNumber(tape.norm(n));
        stripe.norm =
          Number.isFinite(norm) && Number.isFinite(stripe.norm ?? 0) ? Math.max(stripe.norm ?? 0, norm) : NaN;
      }
    }
  });
  const layers = [...tops.keys()].sort((a, b) => tops.get(a) - tops.get(b));
  return { layers, stripes: [...stripes.values()].sort((a, b) => a.step - b.step) };
}

function stripeColour(stripe, now) {
  const { program, position, tape } = now;
  const bare = themeColour("--step-stripe");
  if (position != null) {
    const known = stripe.nodes.some((n) => program.valueKnown(n, position));
    if (!known) return themeColour("--step-waiting");
    const back = stripe.nodes.some(
      (n) => program.adjoint(n, position).given > 0 || (tape.hasGradient(n) && position === program.length),
    );
    if (!back) return themeColour("--step-done");
  }
  const level = levelOf(stripe.norm, now.scale);
  if (level >= 0) return themeColour(`--band-${bandOf(level)}`);
  return level === -4 ? themeColour("--alarm") : bare;
}

export class Overview {
  constructor(canvas) {
    this.canvas = canvas;
  }

  open(scene, tape, strings) {
    this.scene = scene;
    this.strings = strings;
    this.made = makeStripes(scene, tape);
  }

  // Where the rows are, in pixels.
  #band(camera, window) {
    const { box } = this.scene;
    const rows = Math.max(1, this.made.layers.length);
    const height = Math.max(box.height * camera.scale, Math.min(0.6 * window.height, 130 * rows));
    const middle = Math.min(
      window.height / 2,
      Math.max(height / 2 + 30, (box.y + box.height / 2 - camera.y) * camera.scale),
    );
    return { top: middle - height / 2, height, rows };
  }

  show(camera, window, now) {
    const context = openCanvas(this.canvas, window.width, window.height);
    const { scene, made } = this;
    const { top, height, rows } = this.#band(camera, window);
    const rowHeight = height / rows;
    const x = (value) => (value - camera.x) * camera.scale;
    const width = scene.columnWidth * camera.scale;
    const pitch = scene.columns.length > 1 ? x(scene.columns[1].left) - x(scene.columns[0].left) : width;
    made.stripes.forEach((stripe) => {
      // Whole pixels, without gaps where a step has only a few: everything else shimmers.
      const left = Math.floor(x(stripe.column.left));
      const end = width < 6 ? x(stripe.column.left) + pitch * 1.02 : x(stripe.column.right);
      const right = Math.max(Math.ceil(end), left + 1);
      if (right < 0 || left > window.width) return;
      const row = made.layers.indexOf(stripe.layer);
      context.fillStyle = stripeColour(stripe, now);
      context.fillRect(left, top + row * rowHeight, right - left, rowHeight - (rows > 1 ? 4 : 0));
    });
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = themeColour("--muted");
    context.textBaseline = "middle";
    made.layers.forEach((layer, row) => {
      context.textAlign = "left";
      const label = this.strings[layer];
      if (label && rows > 1)
        context.fillText(label, Math.max(8, x(scene.columns[0]?.left ?? 0)), top + row * rowHeight - 8);
    });
    this.#gap(context, x, top, height);
    this.#ticks(context, x, window, top + height + 14);
    if (now.step != null) {
      const column = scene.column(now.step);
      if (column) {
        context.strokeStyle = themeColour("--accent");
        context.lineWidth = 2;
        const [left, right] = [x(column.left), Math.max(x(column.right), x(column.left) + 2)];
        context.strokeRect(left - 2, top - 4, right - left + 4, height + 8);
      }
    }
  }

  #gap(context, x, top, height) {
    const { fold } = this.scene;
    if (!fold.count) return;
    context.textAlign = "center";
    context.fillText(`× ${fold.count}`, x(fold.left + fold.width / 2), top + height / 2);
  }

  #ticks(context, x, window, y) {
    const { columns } = this.scene;
    if (!columns.length) return;
    const pitch = columns.length > 1 ? x(columns[1].left) - x(columns[0].left) : 100;
    const stride = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((s) => s * pitch >= 56) ?? 10000;
    context.textAlign = "center";
    for (const column of columns) {
      if (column.step % stride !== 0) continue;
      const at = x((column.left + column.right) / 2);
      if (at < -40 || at > window.width + 40) continue;
      const text = `t = ${column.step}`;
      const half = context.measureText(text).width / 2 + 4;
      context.fillText(text, Math.max(half, Math.min(window.width - half, at)), y);
    }
  }
}
