// What the program does at a position, in words.
import { formatNumber } from "./numbers.js";

export function caption(tape, program, cuts, position) {
  if (position == null) return "All values and gradients are computed. Press play to see the order.";
  const event = program.at(position);
  if (!event) return "Nothing is computed yet: inputs and parameters are known.";
  const n = event.node;
  const start = `${position} of ${program.length} · ${event.backward ? "backward" : "forward"}`;
  const at = tape.step(n) == null ? "" : ` · t = ${tape.step(n)}`;
  const equation = tape.equation(n) || `${tape.label(n)}, ${tape.op(n)}`;
  if (!event.backward || event.about == null) return `${start}${at} · ${equation}`;
  const handing = handingOn(tape, program, cuts, event.about, position);
  if (event.node === event.about) return `${start}${at} · ${handing}`;
  const done = program.handsOnAt(event.about, position) ? handing : `from the rule of ${tape.label(event.about)}`;
  return `${start}${at} · ${equation} · ${done}`;
}

// "h_2 (∇ 0.02) hands its gradient on to o_2, c_2 (1 of 2 parts)".
function handingOn(tape, program, cuts, about, position) {
  const receivers = [...new Set(tape.inputs(about))].filter((i) => tape.hasGradient(i) && !cuts.has(`${i},${about}`));
  const names = receivers.map((i) => {
    const { given, total } = program.adjoint(i, position);
    return total > 1 ? `${tape.label(i)} (${given} of ${total} parts)` : tape.label(i);
  });
  const norm = tape.hasGradient(about) ? ` (∇ ${formatNumber(tape.norm(about))})` : "";
  const what = names.length ? `hands its gradient on to ${names.join(", ")}` : "is reached";
  return `${tape.label(about)}${norm} ${what}`;
}
