// The elements of one block of the drawing. What all blocks of a shape have in common is built once and copied.
import { boxText, lineHeights, linesThatFit, smallLines } from "./box_text.js";
import { darkTheme, svg, textWidth } from "./dom.js";
import { flowClass } from "./gradient_scale.js";
import { heatColour, heatReach } from "./heat_colours.js";
import { arrow, pathPoints } from "./paths.js";
import { looks } from "./scene.js";

const kindNames = ["data", "state", "parameter"];

export function edgeElement(points, kind, cut, backward, level) {
  const { line, head } = arrow(points);
  const classes = ["edge", `kind-${kindNames[kind]}`, flowClass(level)];
  if (cut) classes.push("cut");
  if (backward) classes.push("adjoint");
  return svg(
    "g",
    { class: classes.join(" ") },
    svg("path", { class: "line", d: line }),
    svg("path", { class: "head", d: head }),
  );
}

export function frameElement(left, y, width, height, kind, tint) {
  const kinds = ["step", "layer", "gate"];
  return svg("rect", {
    class: `frame frame-${kinds[kind]} tint-${tint}`,
    x: left,
    y,
    width,
    height,
    rx: kind === 0 ? 10 : 7,
  });
}

export const labelElement = (text, x, y, extra = "") => svg("text", { class: `label ${extra}`, x, y }, text);

function makeTemplate(shape, strings, detailed) {
  const block = svg("g", { class: "block" });
  for (const [x, y, w, h, label, lx, ly, kind, tint] of shape.frames) {
    block.append(frameElement(x, y, w, h, kind, tint));
    if (detailed && label) block.append(labelElement(strings[label], lx, ly, `tint-${tint}`));
  }
  for (const [, , d, kind, cut, backward] of shape.edges)
    block.append(edgeElement(pathPoints(d), kind, cut, backward, -1));
  shape.nodes.forEach(([x, y, w, h, look, tint, dashed], i) => {
    const classes = `box look-${looks[look]} tint-${tint}${dashed ? " dashed" : ""}`;
    const round = looks[look] === "input" || looks[look] === "port" ? Math.min(h / 2, 9) : 6;
    block.append(
      svg(
        "g",
        { class: classes, transform: `translate(${x} ${y})`, "data-i": i },
        svg("rect", { class: "face", width: w, height: h, rx: round }),
      ),
    );
  });
  return block;
}

export function makeTemplates(drawing, strings) {
  const made = new Map();
  return (shape, detailed) => {
    const key = 2 * shape + (detailed ? 1 : 0);
    if (!made.has(key)) made.set(key, makeTemplate(drawing.shapes[shape], strings, detailed));
    return made.get(key).cloneNode(true);
  };
}

function setText(group, size, text, x, y, room, style) {
  const wide = (textWidth(text) * size) / 10;
  const used = wide > room ? (size * room) / wide : size;
  group.append(svg("text", { class: style, x, y, "font-size": used.toFixed(2) }, text));
}

// A row of cells along the lower edge: the numbers of the value, or of the adjoint once it is complete.
function appendCells(group, numbers, w, h) {
  const reach = heatReach(numbers);
  const width = (w - 12) / numbers.length;
  numbers.forEach((value, k) =>
    group.append(
      svg("rect", {
        class: "cell",
        x: (6 + k * width).toFixed(2),
        y: h - 3.4,
        width: width.toFixed(2),
        height: 2.4,
        fill: heatColour(value, reach, darkTheme.matches),
      }),
    ),
  );
}

// Whether a gradient has flowed from a node to its inputs; along recorded backward nodes, whether there is anything yet.
export function hasFlowed(program, n, position) {
  return program.isBackward(n) ? program.valueKnown(n, position) : program.handedOn(n, position);
}

export class BlockView {
  constructor(scene, b, template, detailed, strings) {
    this.scene = scene;
    this.index = b;
    this.detailed = detailed;
    this.strings = strings;
    this.block = scene.drawing.blocks[b];
    this.shape = scene.drawing.shapes[this.block.shape];
    this.element = template;
    const place = scene.blocks[b];
    template.setAttribute("transform", `translate(${place.x} ${place.y})`);
    template.dataset.b = b;
    this.boxes = [...template.querySelectorAll(".box")];
    this.edges = [...template.querySelectorAll(".edge")];
    this.edges.forEach((edge, i) => {
      const level = this.block.flows[i] ?? -1;
      edge.classList.replace("flow-unasked", flowClass(level));
    });
    this.keys = new Array(this.boxes.length).fill(null);
    this.lit = [];
    this.waits = new Array(this.edges.length).fill(false);
  }

  // Brings what the boxes say and how they stand out up to date; touches only what changed.
  update(now) {
    this.#updateEdges(now);
    this.boxes.forEach((box, i) => {
      const n = this.block.nodes[i];
      const notes = (this.block.notes[i] ?? []).map((s) => this.strings[s]).filter((note) => !note.startsWith("∇"));
      const [, , w] = this.shape.nodes[i];
      const text = boxText(now.tape, now.program, n, now.position, {
        notes,
        showGradients: now.showGradients,
        letters: Math.floor(w / 3.6),
      });
      const nodes = this.scene.nodesOf(this.index, i);
      const isPort = looks[this.shape.nodes[i][4]] === "port";
      const current = !isPort && now.event != null && nodes.includes(now.event.node);
      const about = !isPort && now.event?.backward && !current && nodes.includes(now.event.about);
      const reading = now.uses != null && nodes.some((m) => now.uses.has(m));
      const flags = [
        current ? (now.event.backward ? "now-backward" : "now-forward") : "",
        about ? "now-about" : "",
        now.selected != null && nodes.includes(now.selected) ? "selected" : "",
        now.uses ? (reading ? "reads" : "unread") : "",
        `is-${text.state}`,
      ];
      const key = [...flags, ...text.lines, text.gradient, text.badge, darkTheme.matches].join("|");
      if (this.keys[i] === key) return;
      this.keys[i] = key;
      this.#draw(box, i, text, flags);
    });
  }

  #draw(box, i, text, flags) {
    const [, , w, h, look, tint, dashed] = this.shape.nodes[i];
    const n = this.block.nodes[i];
    box.setAttribute(
      "class",
      ["box", `look-${looks[look]}`, `tint-${tint}`, dashed ? "dashed" : "", ...flags].filter(Boolean).join(" "),
    );
    while (box.childNodes.length > 1) box.lastChild.remove();
    if (flags[0] || flags[2])
      box.prepend(box.firstChild, svg("rect", { class: "ring", x: -3, y: -3, width: w + 6, height: h + 6, rx: 8 }));
    if (!this.detailed) return;
    const title = this.strings[this.block.titles[i]] ?? "";
    const numbers = this.#numbersShown(text.state, n);
    const high = numbers ? h - 3 : h;
    const small = smallLines(text, linesThatFit(high));
    const { baselines, squeeze } = lineHeights(high, small.length);
    setText(box, 10 * squeeze, title, w / 2, baselines[0], w - 4, "title");
    small.forEach((line, k) => {
      const style = line === text.gradient ? "gradient" : "note";
      setText(box, (style === "gradient" ? 8 : 7) * squeeze, line, w / 2, baselines[k + 1], w - 4, style);
    });
    if (numbers) appendCells(box, numbers, w, h);
    if (text.badge && looks[look] !== "port") {
      const width = (textWidth(text.badge) * 6.5) / 10 + 7;
      const badge = svg("g", { class: "badge", transform: `translate(${w - width / 2 - 2} -5)` });
      badge.append(svg("rect", { x: -width / 2, y: -5, width, height: 10, rx: 5 }));
      badge.append(svg("text", { y: 2.4, "font-size": 6.5 }, text.badge));
      box.append(badge);
    }
  }

  // While the program runs: the value, and the adjoint once it is complete; of arrays that can be told apart in a box.
  #numbersShown(state, n) {
    if (!this.tape || !["value", "growing", "adjoint"].includes(state)) return null;
    const numbers = state === "adjoint" ? this.tape.gradients(n) : this.tape.values(n);
    return numbers && numbers.length > 1 && numbers.length <= 24 ? numbers : null;
  }

  // A line gets the colour of its gradient when that has flowed.
  #updateEdges(now) {
    this.shape.edges.forEach(([from, to], e) => {
      const target = looks[this.shape.nodes[to][4]] === "port" ? from : to;
      const waits = now.position != null && !hasFlowed(now.program, this.block.nodes[target], now.position);
      if (this.waits[e] === waits) return;
      this.waits[e] = waits;
      this.edges[e].classList.toggle("waiting", waits);
    });
  }

  // Lights the edges that bring something to a box, and returns the boxes they come from.
  light(i, style) {
    const sources = [];
    this.shape.edges.forEach(([from, to], e) => {
      if (to !== i) return;
      this.edges[e].classList.add(style);
      this.lit.push([this.edges[e], style]);
      sources.push(from);
    });
    return sources;
  }

  unlight() {
    for (const [edge, style] of this.lit) edge.classList.remove(style);
    this.lit = [];
  }
}
