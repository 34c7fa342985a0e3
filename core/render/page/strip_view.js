// Under the graph, in step with it: gradients of the states, means of the gates, shares of a parameter, over time.
import { html, openCanvas, themeColour } from "./dom.js";
import { formatNumber, formatShare, powerOfTen } from "./numbers.js";
import { gradientPoints, logAxis, meanPoints } from "./series.js";

const laneHeight = 74;
const laneGap = 20;
const dashes = [[], [5, 3], [2, 2], [8, 3, 2, 3]];

const seriesColour = (series, index) => {
  if (series.tint >= 0) return themeColour(`--tint-${series.tint % 6}`);
  return themeColour(["--curve-0", "--curve-1", "--curve-2", "--curve-3"][index % 4]);
};

export class StripView {
  constructor(canvas, legend, tip, onStep) {
    this.canvas = canvas;
    this.legend = legend;
    this.tip = tip;
    this.hidden = new Set();
    this.lanes = [];
    canvas.addEventListener("pointermove", (event) => this.#hover(event.offsetX, event.offsetY));
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("click", (event) => {
      const column = this.#columnAt(event.offsetX);
      if (column) onStep(column.step);
    });
  }

  open(series, tape, changed) {
    this.changed = changed;
    const lane = (title, kind, list, points) => ({
      title,
      kind,
      list: list
        .map((s, i) => ({ ...s, id: `${kind}:${s.key}`, index: i, numbers: points(s, tape) }))
        .filter((s) => s.numbers.length),
    });
    this.fixed = [
      lane("|∂L/∂state|, logarithmic", "log", series.states, gradientPoints),
      lane("mean of the gates", "linear", series.gates, meanPoints),
    ].filter((l) => l.list.length);
    for (const { list } of this.fixed) for (const s of list) s.byStep = new Map(s.numbers);
    this.setParameter(null);
  }

  setParameter(parameter, contributions = null) {
    this.lanes = [...this.fixed];
    if (parameter && contributions) {
      const numbers = contributions.filter((c) => c.step != null).map((c) => [c.step, c.share]);
      const list = [{ id: "share", label: parameter.name, tint: -1, index: 1, numbers, byStep: new Map(numbers) }];
      this.lanes.push({ title: `share of the gradient of ${parameter.name}`, kind: "bars", list });
    }
    for (const lane of this.lanes) lane.axis = this.#axis(lane);
    this.#showLegend();
  }

  get height() {
    return this.lanes.length ? this.lanes.length * (laneHeight + laneGap) + 6 : 0;
  }

  #axis(lane) {
    const lists = lane.list.map((s) => s.numbers);
    if (lane.kind === "log") return logAxis(lists) ?? { low: -1, high: 0 };
    const all = lists
      .flat()
      .map(([, x]) => x)
      .filter(Number.isFinite);
    const [low, high] = [Math.min(0, ...reduceEnds(all)), Math.max(0, ...reduceEnds(all))];
    if (lane.kind === "linear") return { low: low < 0 ? Math.min(-1, low) : 0, high: Math.max(1, high) };
    return { low, high: high > low ? high : 1 };
  }

  #showLegend() {
    const items = this.lanes.flatMap((lane) =>
      lane.list.map((s) => {
        const swatch = html("span", { class: "swatch" });
        swatch.style.background = seriesColour(s, s.index);
        const name = lane.kind === "log" ? `|∂L/∂${s.label}|` : s.label;
        const button = html("button", { type: "button", "aria-pressed": String(!this.hidden.has(s.id)) }, swatch, name);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(s.id)) this.hidden.add(s.id);
          button.setAttribute("aria-pressed", String(!this.hidden.has(s.id)));
          this.changed();
        });
        return button;
      }),
    );
    this.legend.replaceChildren(...items);
  }

  // `x` of a step: that of its column in the drawing; spread evenly where the drawing has no columns.
  show(scene, camera, window, marked) {
    const context = openCanvas(this.canvas, window.width, this.height);
    this.columns = scene.columns;
    this.aligned = scene.columns.length > 0;
    if (!this.aligned) {
      const steps = [...new Set(this.lanes.flatMap((lane) => lane.list.flatMap((s) => s.numbers.map(([t]) => t))))];
      const wide = (window.width - 120) / Math.max(1, steps.length);
      this.columns = steps
        .sort((a, b) => a - b)
        .map((step, i) => ({ step, left: 60 + i * wide, right: 60 + (i + 1) * wide }));
    }
    this.x = this.aligned ? (value) => (value - camera.x) * camera.scale : (value) => value;
    const inView = this.columns.filter((c) => this.x(c.right) > -200 && this.x(c.left) < window.width + 200);
    this.#mark(context, marked, "--mark");
    if (this.hovered != null) this.#mark(context, this.hovered, "--mark-hover");
    this.lanes.forEach((lane, k) => {
      const top = k * (laneHeight + laneGap) + laneGap;
      this.#axisLines(context, lane, top, window.width);
      for (const s of lane.list) if (!this.hidden.has(s.id)) this.#curve(context, lane, s, top, inView, scene.fold);
      this.#axisLabels(context, lane, top);
    });
  }

  #mark(context, step, colour) {
    const column = this.columns.find((c) => c.step === step);
    if (!column) return;
    context.fillStyle = themeColour(colour);
    const left = this.x(column.left);
    context.fillRect(left, laneGap - 4, Math.max(2, this.x(column.right) - left), this.height - laneGap);
  }

  #y(lane, value, top) {
    const { low, high } = lane.axis;
    const at = lane.kind === "log" ? Math.log10(value) : value;
    return top + laneHeight * (1 - (Math.max(low, Math.min(high, at)) - low) / (high - low));
  }

  #axisLines(context, lane, top, width) {
    context.strokeStyle = themeColour("--grid");
    context.lineWidth = 1;
    const { low, high } = lane.axis;
    const levels =
      lane.kind === "log"
        ? [low, (low + high) / 2, high].map((e) => 10 ** e)
        : [low, low < 0 ? 0 : (low + high) / 2, high];
    for (const value of levels) {
      const y = Math.round(this.#y(lane, value, top)) + 0.5;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
    }
  }

  #axisLabels(context, lane, top) {
    const { low, high } = lane.axis;
    const word = (value) =>
      lane.kind === "log" ? powerOfTen(value) : lane.kind === "bars" ? formatShare(value) : formatNumber(value);
    const say = (text, y, bold = false) => {
      context.font = `${bold ? "600 " : ""}11px system-ui, sans-serif`;
      const width = context.measureText(text).width;
      context.fillStyle = themeColour("--page");
      context.globalAlpha = 0.8;
      context.fillRect(4, y - 7, width + 8, 14);
      context.globalAlpha = 1;
      context.fillStyle = themeColour(bold ? "--ink" : "--muted");
      context.fillText(text, 8, y);
    };
    context.textAlign = "left";
    context.textBaseline = "middle";
    say(word(high), top + 7);
    say(word(low), top + laneHeight - 7);
    say(lane.title, top - 9, true);
  }

  #curve(context, lane, series, top, columns, fold) {
    const colour = seriesColour(series, series.index);
    const middle = (c) => this.x((c.left + c.right) / 2);
    if (lane.kind === "bars") {
      const base = this.#y(lane, 0, top);
      context.fillStyle = colour;
      for (const c of columns) {
        const value = series.byStep.get(c.step);
        if (!Number.isFinite(value)) continue;
        const wide = Math.min(44, Math.max(1, (this.x(c.right) - this.x(c.left)) * 0.7));
        const y = this.#y(lane, value, top);
        context.fillRect(middle(c) - wide / 2, Math.min(y, base), wide, Math.max(0.5, Math.abs(base - y)));
      }
      return;
    }
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = columns.length > 200 ? 1.1 : 1.8;
    context.setLineDash(series.tint >= 0 ? [] : dashes[Math.floor(series.index / 4) % dashes.length]);
    context.beginPath();
    let drawing = false;
    let before = null;
    const dots = [];
    for (const c of columns) {
      const value = series.byStep.get(c.step);
      const fine = Number.isFinite(value) && (lane.kind !== "log" || value > 0);
      if (!fine || (fold.count && before != null && before < fold.first && c.step > fold.last)) drawing = false;
      before = c.step;
      if (!fine) continue;
      const [px, py] = [middle(c), this.#y(lane, value, top)];
      if (drawing) context.lineTo(px, py);
      else context.moveTo(px, py);
      drawing = true;
      dots.push([px, py]);
    }
    context.globalAlpha = columns.length > 200 ? 0.8 : 1;
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
    if (dots.length > 60) return;
    for (const [px, py] of dots) {
      context.beginPath();
      context.arc(px, py, 3, 0, 2 * Math.PI);
      context.fill();
    }
  }

  #columnAt(px) {
    let best = null;
    for (const c of this.columns ?? []) {
      const distance = Math.abs(this.x((c.left + c.right) / 2) - px);
      if (!best || distance < best.distance) best = { ...c, distance };
    }
    return best;
  }

  #hover(px, py) {
    const column = this.#columnAt(px);
    if (!column) return;
    const rows = this.lanes.flatMap((lane) =>
      lane.list
        .filter((s) => !this.hidden.has(s.id) && s.byStep.has(column.step))
        .map((s) => {
          const swatch = html("span", { class: "swatch" });
          swatch.style.background = seriesColour(s, s.index);
          const value = s.byStep.get(column.step);
          const name = lane.kind === "log" ? `|∂L/∂${s.label}|` : s.label;
          return html("div", {}, swatch, `${name}  ${lane.kind === "bars" ? formatShare(value) : formatNumber(value)}`);
        }),
    );
    this.tip.replaceChildren(html("strong", {}, `t = ${column.step}`), ...rows);
    this.tip.hidden = false;
    const width = this.tip.offsetWidth;
    const room = this.canvas.clientWidth;
    this.tip.style.left = `${px + 16 + width > room ? Math.max(0, px - width - 12) : px + 16}px`;
    this.tip.style.top = `${Math.max(0, Math.min(py - 20, this.height - this.tip.offsetHeight))}px`;
    if (this.hovered !== column.step) {
      this.hovered = column.step;
      this.changed();
    }
  }

  #leave() {
    this.tip.hidden = true;
    this.hovered = null;
    this.changed();
  }
}

// The ends of a list that may be too long to be spread over arguments.
function reduceEnds(values) {
  let [low, high] = [0, 0];
  for (const x of values) [low, high] = [Math.min(low, x), Math.max(high, x)];
  return [low, high];
}
