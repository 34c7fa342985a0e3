// Parameters over time: who reads them, and what each step contributes to their gradient.
import { toNumber } from "./numbers.js";

// Nodes that read it in the forward pass.
export function usesOf(tape, node) {
  return tape.readers(node).filter((r) => tape.phase(r) === 0);
}

// The shares by step, several of one step added up: [{step, norm, share}], what has no step last; null if nothing was recorded.
export function contributionsOf(parameter) {
  if (!parameter.contributions?.length) return null;
  const bySteps = new Map();
  for (const [step, norm, share] of parameter.contributions) {
    const known = bySteps.get(step);
    if (!known) bySteps.set(step, { step, norm: toNumber(norm), share: toNumber(share) });
    else {
      known.norm = Math.hypot(known.norm, toNumber(norm));
      known.share += toNumber(share);
    }
  }
  return [...bySteps.values()].sort((a, b) => (a.step ?? Infinity) - (b.step ?? Infinity));
}
