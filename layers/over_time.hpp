#pragma once

#include <unroll/core/ops/ops.hpp>

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

namespace unroll {

// A cell of one's own is a lambda; nothing is inherited. The state is whatever the lambda takes and gives:
//
//   Parameter W("mine.W", ...), U("mine.U", ...);                       // shapes (input, hidden), (hidden, hidden)
//   auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {              // {output, next state}
//     Tape& tape = x.tape();
//     const Var next = tanh(matmul(x, tape.use(W)) + matmul(h, tape.use(U))).named("h");
//     return {next, next};
//   };
//   auto [outputs, last] = over_time(cell, xs, tape.constant(h0, "h"));  // xs (time, batch, input), h0 (batch, hidden)

// What a recurrence leaves: the output of every step, and the state after the last.
template <class State> struct Sequence {
  std::vector<Var> outputs;
  State state;

  // The outputs as one array, (time, batch, feature).
  Var stacked() const { return stack(outputs, 0); }
};

// A cell is anything that can be called as cell(x, state) and gives {output, next state}: a layer of this library, or a lambda.
template <class Cell, class State>
concept CellOf = requires(const Cell& cell, Var x, State state) {
  { cell(x, state) } -> std::convertible_to<std::pair<Var, State>>;
};

// Unrolls a cell over time: the same cell, so the same parameters, at every step t = 1 .. T. `xs` holds one input for each step.
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, const std::vector<Var>& xs, State state) {
  Sequence<State> sequence{{}, std::move(state)};
  for (std::size_t t = 1; t <= xs.size(); ++t) {
    const Step step(xs[t - 1].tape(), static_cast<std::int64_t>(t));
    auto [output, next] = cell(xs[t - 1], sequence.state);
    sequence.outputs.push_back(output);
    sequence.state = std::move(next);
  }
  return sequence;
}

// The inputs of the single steps: (time, batch, feature) -> `time` times (batch, feature), named x.
std::vector<Var> time_steps(Var xs);

// The same for inputs in one array, (time, batch, feature).
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, Var xs, State state) {
  return over_time(cell, time_steps(xs), std::move(state));
}

// From a zero initial state, for cells that know theirs (the layers of this library). A lambda does not: give it a state.
template <class Cell>
requires requires(const Cell& cell, Tape& tape) { cell.zero_state(tape, std::int64_t{1}); }
auto over_time(const Cell& cell, Var xs) {
  const std::vector<Var> steps = time_steps(xs);
  return over_time(cell, steps, cell.zero_state(xs.tape(), xs.shape()[1]));
}

}  // namespace unroll
