// Which of many horizontal spans meet a stretch of the drawing; sorted once, so that a thousand steps cost what is in view.
import { lowerBound } from "./numbers.js";

export function makeSpans(left, right) {
  const order = Array.from(left, (_, i) => i).sort((a, b) => left[a] - left[b] || a - b);
  const starts = order.map((i) => left[i]);
  const reach = []; // the furthest right end so far: ascending, so that a search finds the first that can matter
  for (const i of order) reach.push(Math.max(right[i], reach.length ? reach[reach.length - 1] : -Infinity));
  return {
    // Indices of the spans that meet [from, to], by their left ends.
    meeting(from, to) {
      const result = [];
      for (let k = lowerBound(reach, from); k < order.length && starts[k] <= to; ++k)
        if (right[order[k]] >= from) result.push(order[k]);
      return result;
    },
  };
}
