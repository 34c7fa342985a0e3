// Gradients on a logarithmic scale: a level from 0 (the smallest shown, or less) to 1 (the largest), or one of the codes below.
import { toNumber } from "./numbers.js";

export const levelUnasked = -1;
export const levelAbsent = -2;
export const levelZero = -3;
export const levelBroken = -4;
export const bandCount = 12;

export function levelOf(norm, scale) {
  if (norm == null) return levelAbsent;
  const x = toNumber(norm);
  if (!Number.isFinite(x)) return levelBroken;
  if (x === 0) return levelZero;
  if (!scale) return 1;
  const low = Math.log(toNumber(scale.smallest));
  const high = Math.log(toNumber(scale.largest));
  if (!(high > low)) return 1;
  return Math.min(1, Math.max(0, (Math.log(Math.abs(x)) - low) / (high - low)));
}

// Which of the colours of the scale, 0..bandCount - 1.
export function bandOf(level) {
  return Math.min(bandCount - 1, Math.floor(level * bandCount));
}

// The class of a line or box in the style sheet.
export function flowClass(level) {
  if (level >= 0) return `band-${bandOf(level)}`;
  if (level === levelAbsent) return "flow-absent";
  if (level === levelZero) return "flow-zero";
  if (level === levelBroken) return "flow-broken";
  return "flow-unasked";
}
