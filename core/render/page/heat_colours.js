// Diverging colours for heat maps: blue below zero, orange above; told apart with any kind of colour vision.
import { toNumber } from "./numbers.js";

const belowZero = [33, 102, 172];
const aboveZero = [179, 88, 6];
const middles = { light: [247, 247, 247], dark: [44, 45, 52] };
const brightEnds = { below: [104, 172, 235], above: [245, 158, 66] };

// The largest size of the finite numbers: both ends of the scale.
export function heatReach(values) {
  let reach = 0;
  for (const value of values) {
    const size = Math.abs(toNumber(value));
    if (Number.isFinite(size) && size > reach) reach = size;
  }
  return reach;
}

export function heatColour(value, reach, dark = false) {
  const x = toNumber(value);
  if (Number.isNaN(x)) return "#c00000";
  const part = reach > 0 ? Math.max(-1, Math.min(1, x / reach)) : 0;
  const end = dark ? (part < 0 ? brightEnds.below : brightEnds.above) : part < 0 ? belowZero : aboveZero;
  const middle = dark ? middles.dark : middles.light;
  const mixed = middle.map((m, i) => Math.round(m + (end[i] - m) * Math.abs(part)));
  return `rgb(${mixed.join(", ")})`;
}
