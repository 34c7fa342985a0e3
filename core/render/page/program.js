// What is computed when: the forward pass in tape order, then the backward pass. A position is how many of its events are done.
import { lowerBound } from "./numbers.js";
import { phaseBackward, phaseForward } from "./tape.js";

// Adds the recorded backward nodes; where the last one of each forward node's rule is, or null if nothing was recorded.
function recordedEvents(tape, events, known) {
  const last = new Map();
  for (let n = 0; n < tape.count; ++n) {
    if (tape.phase(n) !== phaseBackward) continue;
    events.push({ node: n, about: tape.origin(n), backward: true });
    known[n] = events.length;
    last.set(tape.origin(n), events.length);
  }
  return last.size ? last : null;
}

// cuts: pairs "source,reader" that hand no adjoint on.
export function makeProgram(tape, cuts = new Set()) {
  const events = []; // {node, about, backward}: `about` is the forward node whose adjoint is handed on
  const known = new Int32Array(tape.count).fill(-1); // position from which the value is known; -1 from the start
  for (let n = 0; n < tape.count; ++n) {
    if (tape.phase(n) !== phaseForward || tape.inputs(n).length === 0) continue;
    events.push({ node: n, about: n, backward: false });
    known[n] = events.length;
  }
  const forwardCount = events.length;

  const handed = new Int32Array(tape.count).fill(-1); // position at which it has handed its parts on; -1 never
  const recorded = recordedEvents(tape, events, known);
  const giving = (n) =>
    tape.readers(n).filter((r) => tape.phase(r) === phaseForward && handed[r] >= 0 && !cuts.has(`${n},${r}`));
  for (let n = tape.count - 1; n >= 0; --n) {
    if (tape.phase(n) !== phaseForward || !tape.hasGradient(n) || tape.inputs(n).length === 0) continue;
    if (recorded) {
      // Its adjoint is complete, and the last node of its rule is there; some rules record nothing.
      const complete = Math.max(forwardCount, ...giving(n).map((r) => handed[r]));
      handed[n] = Math.max(complete, recorded.get(n) ?? 0);
    } else {
      events.push({ node: n, about: n, backward: true });
      handed[n] = events.length;
    }
  }

  // Where the readers of a node hand their parts on, ascending.
  const partsOf = new Map();
  const parts = (n) => {
    if (!partsOf.has(n)) {
      const positions = giving(n).map((r) => handed[r]);
      partsOf.set(
        n,
        positions.sort((a, b) => a - b),
      );
    }
    return partsOf.get(n);
  };

  // Neighbours that belong to one step of one pass are done together when time goes step by step.
  const groupEnds = [];
  events.forEach((event, k) => {
    const next = events[k + 1];
    if (!next || next.backward !== event.backward || tape.step(next.node) !== tape.step(event.node))
      groupEnds.push(k + 1);
  });

  return {
    events,
    forwardCount,
    recorded: recorded != null,
    length: events.length,
    groupEnds,
    valueKnown: (n, position) => known[n] <= position,
    // Whether the event done last was the one with which a node hands its adjoint on.
    handsOnAt: (n, position) => handed[n] === position,
    isBackward: (n) => tape.phase(n) === phaseBackward,
    // Whether it has handed its adjoint on to its inputs.
    handedOn: (n, position) => handed[n] >= 0 && handed[n] <= position,
    // How many of the parts of an adjoint are there, and whether it is complete. One that nobody hands anything is where the pass starts.
    adjoint(n, position) {
      if (!tape.hasGradient(n) || position < forwardCount) return { given: 0, total: 0, complete: false };
      const all = parts(n);
      const given = lowerBound(all, position + 1);
      return { given, total: all.length, complete: given === all.length };
    },
    parts,
    // The nearest position in time steps, forwards or backwards.
    nextGroup: (position) => groupEnds[lowerBound(groupEnds, position + 1)] ?? events.length,
    previousGroup: (position) => groupEnds[lowerBound(groupEnds, position) - 1] ?? 0,
    // The event done last.
    at: (position) => (position > 0 && position <= events.length ? events[position - 1] : null),
  };
}
