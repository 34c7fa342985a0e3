// What a box says besides its title: its notes at rest; the value, then the adjoint, while the program runs.
import { formatNumber } from "./numbers.js";

// The letters of a value that fit into so many.
export function valueText(tape, n, letters) {
  const values = tape.values(n);
  if (values && values.length === 1) return `= ${formatNumber(values[0])}`;
  if (values && values.length <= 6) {
    const all = values.map((v) => formatNumber(v, 2)).join(" ");
    if (all.length + 2 <= letters) return `= ${all}`;
  }
  const stats = tape.stats(n);
  if (!stats) return "";
  return letters < 11 ? `µ ${formatNumber(stats[1], 2)}` : `mean ${formatNumber(stats[1])}`;
}

export function gradientText(tape, n) {
  return tape.hasGradient(n) ? `∇ ${formatNumber(tape.norm(n))}` : "";
}

// {lines, badge, state}: the small lines of a box, "2 of 3" of an adjoint that is not complete, and how far it is.
export function boxText(tape, program, n, position, { notes, showGradients, letters }) {
  const gradient = showGradients ? gradientText(tape, n) : "";
  if (position == null) return { lines: notes, gradient, badge: "", state: "rest" };
  if (!program.valueKnown(n, position)) return { lines: [], gradient: "", badge: "", state: "pending" };
  const value = valueText(tape, n, letters);
  const lines = value ? [value] : [];
  const adjoint = program.adjoint(n, position);
  if (adjoint.total === 0 && !adjoint.complete) return { lines, gradient: "", badge: "", state: "value" };
  if (adjoint.complete)
    return {
      lines,
      gradient: gradientText(tape, n),
      badge: adjoint.total > 1 ? `Σ ${adjoint.total}` : "",
      state: "adjoint",
    };
  const badge = adjoint.given > 0 ? `+ ${adjoint.given} of ${adjoint.total}` : "";
  return { lines, gradient: "", badge, state: adjoint.given > 0 ? "growing" : "value" };
}

// How many small lines a box has room for below its title; letters may shrink by a fifth.
export const linesThatFit = (height) => Math.max(0, Math.floor(((height - 2) / 0.8 - 11) / 8.4 + 1e-9));

// The small lines that are shown: at rest the notes come first, while the program runs the adjoint.
export function smallLines(text, room) {
  const all = text.gradient ? [...text.lines, text.gradient] : text.lines;
  return text.state === "rest" ? all.slice(0, room) : all.slice(Math.max(0, all.length - room));
}

// Base lines of a box: the title in the large size, then the small lines, in the middle of the height; closer where it is narrow.
export function lineHeights(height, lines) {
  const title = 11;
  const small = 8.4;
  const total = title + small * lines;
  const squeeze = Math.min(1, (height - 2) / total);
  const top = (height - total * squeeze) / 2;
  const result = [top + title * squeeze * 0.8];
  for (let i = 0; i < lines; ++i) result.push(top + (title + small * (i + 0.76)) * squeeze);
  return { baselines: result, squeeze };
}
