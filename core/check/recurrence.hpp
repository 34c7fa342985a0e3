#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>
#include <vector>

namespace unroll {

// A gate of a recurrent layer: the values of a sigmoid, from 0 to 1, or of a tanh, from -1 to 1.
struct RecurrenceGate {
  std::string
      name;  // as in the equation: i, f, o, r, z, g, n; h where the hidden state itself is the tanh or sigmoid (RNN)
  bool is_tanh = false;     // its values are from -1 to 1
  std::vector<Var> values;  // for each step
};

// A recurrent layer, as it stands unrolled on a tape. Steps are in the order of computation, which in a layer that reads backwards is not that of time.
struct Recurrence {
  std::string layer;                  // the scope in which h is computed: "lstm"; "lstm, run 2" where that runs again
  std::vector<std::int32_t> steps;    // the time steps, mostly 1 .. T
  std::vector<Var> h;                 // the hidden state after each step
  std::vector<Var> c;                 // the cell state; empty for a cell without
  std::vector<RecurrenceGate> gates;  // in the order in which they are computed

  // h and, where there is one, c after step i of `steps`.
  std::vector<Var> state(std::size_t i) const {
    return c.empty() ? std::vector<Var>{h[i]} : std::vector<Var>{h[i], c[i]};
  }
};

// The recurrent layers of a tape, in the order in which their first step was computed. A layer is known by its names alone, so that a cell of one's own
// is found as well: a scope in which forward nodes at time steps from 1 on are named h; in it, or in scopes inside of it, c and the
// gates (of these only results of tanh and sigmoid). What depends on no input or parameter whose gradient is wanted does not count, nor does a node that only hands
// on a state of its own name (chosen by a mask, for example), nor what the warm-up of a truncated gradient records once more. Of several nodes of one
// name at one step, where one is made of the other, the last does. A layer that runs several times is found as often: "lstm",
// "lstm, run 2". A c or a gate that is missing at a step is left out of the layer. Throws Error for a state that is recomputed in the backward pass
// (OverTimeOptions::recompute, checkpoint): the tape holds copies of it, from one of which no gradient flows to the next.
std::vector<Recurrence> find_recurrences(Tape& tape);
// The same; throws Error if there is none.
std::vector<Recurrence> require_recurrences(Tape& tape);

}  // namespace unroll
