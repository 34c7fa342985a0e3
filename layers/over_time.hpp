#pragma once

#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/recompute.hpp>
#include <unroll/layers/running_steps.hpp>
#include <unroll/layers/state.hpp>
#include <unroll/layers/truncated.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace unroll {

// A cell of one's own is a lambda; nothing is inherited. The state is whatever the lambda takes and gives:
//
//   Parameter W("mine.W", ...), U("mine.U", ...);                       // shapes (input, hidden), (hidden, hidden)
//   auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {              // {output, next state}
//     Tape& tape = x.tape();
//     const Var from_x = matmul(x, tape.use(W)), from_h = matmul(h, tape.use(U));
//     const Var next = tanh(from_x + from_h).named("h");
//     return {next, next};
//   };
//   auto [outputs, last] = over_time(cell, xs, tape.constant(h0, "h"));  // xs (time, batch, input), h0 (batch, hidden)

// What a recurrence leaves: the output of every step in the order of time, and the state after the last.
template <class State> struct Sequence {
  std::vector<Var> outputs;  // outputs[t - 1] is that of step t
  State state;               // after the last step

  // The outputs as one array, (time, batch, feature).
  Var stacked() const { return stack(outputs, 0); }
};

// How a cell is unrolled.
struct OverTimeOptions {
  // Which steps of which sequence are its own, (time, batch) of 1 and 0. Where it is 0 (padding), the state stays as it was, the output is 0, and
  // x may hold anything, NaN too: the cell sees 0 instead. Axis 0 of every part of the state is then the batch.
  std::optional<Array> mask = {};
  // The same for sequences that are padded at their ends: how many steps each has, from 1 up. None: all run to the end.
  std::vector<std::int64_t> lengths = {};
  // From the last step to the first. With a mask or lengths each sequence begins at its own last step.
  bool reverse = false;
  // Gradients flow back over so many steps only (layers/truncated.hpp). None: over all of them.
  std::optional<Truncation> truncate = {};
  // States are kept at some steps only, and the backward pass records those between again (layers/recompute.hpp). The tape keeps a copy of
  // the cell. Not together with `truncate`.
  std::optional<Recompute> recompute = {};
  // The generators from which the cell draws (dropout), so that steps that are recorded twice (recompute, truncate with k1 < k2) draw the same again.
  std::vector<Generator*> generators = {};
};

// A cell is anything that can be called as cell(x, state) and gives {output, next state}: a layer of this library, or a lambda.
template <class Cell, class State>
concept CellOf = !std::same_as<State, OverTimeOptions> && requires(const Cell& cell, Var x, State state) {
  { cell(x, state) } -> std::convertible_to<std::pair<Var, State>>;
};

// A layer that must see the whole sequence (Bidirectional): layer(xs, state, options) gives a Sequence.
template <class Layer, class State>
concept SequenceLayerOf =
    !std::same_as<State, OverTimeOptions> &&
    requires(const Layer& layer, const std::vector<Var>& xs, State state, const OverTimeOptions& options) {
  { layer(xs, state, options) } -> std::convertible_to<Sequence<State>>;
};

// A cell or layer that knows its first state: the layers of this library do, a lambda does not.
template <class Cell>
concept HasZeroState = requires(const Cell& cell, Tape& tape) {
  cell.zero_state(tape, std::int64_t{1});
};

namespace detail {

// Records step t = 1 .. T.
template <class Cell, class State>
std::pair<Var, State> step_at(const Cell& cell, const RunningSteps& running, std::size_t t, Var x,
                              const State& before) {
  const Step step(x.tape(), static_cast<std::int64_t>(t));
  const RunningRows rows = running.at(t, x);
  auto [output, next] = cell(rows.or_zero(x), before);
  const Var own = rows.or_zero(output);
  return {own, rows.or_before(State(std::move(next)), before)};
}

[[noreturn]] void fail_truncate_and_recompute();
[[noreturn]] void fail_to_keep_cell();

}  // namespace detail

// Unrolls a cell over time: the same cell, so the same parameters, at every step t = 1 .. T. `xs` holds one input for each step. Throws
// Error or ShapeError for options that do not fit the inputs or each other.
// See docs/ways-through-time.md, tutorials/06/README.md and tutorials/14/README.md.
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, const std::vector<Var>& xs, State state,
                                                       const OverTimeOptions& options = {}) {
  if (options.truncate && options.recompute) detail::fail_truncate_and_recompute();
  const RunningSteps running(xs, options.mask, options.lengths);
  const std::size_t T = xs.size();
  const auto time = [T, reverse = options.reverse](std::size_t position) {
    return reverse ? T - position : position + 1;
  };
  const auto step = [&](std::size_t position, const State& before) {
    return detail::step_at(cell, running, time(position), xs[time(position) - 1], before);
  };
  Sequence<State> sequence{{}, std::move(state)};
  if (options.recompute) {
    if constexpr (!std::copy_constructible<Cell>) {
      detail::fail_to_keep_cell();
    } else {
      const detail::RecurrenceStep again = [cell, running, time, form = sequence.state](std::size_t position, Var x,
                                                                                        std::span<const Var> before) {
        auto [output, next] = detail::step_at(cell, running, time(position), x, with_vars(form, before));
        std::vector<Var> result{output};
        for (const Var& part : state_vars(next)) result.push_back(part);
        return result;
      };
      std::vector<Var> ordered = xs;
      if (options.reverse) std::reverse(ordered.begin(), ordered.end());
      detail::Recurrence run =
          detail::recompute(again, ordered, state_vars(sequence.state), 0, *options.recompute, options.generators);
      sequence = {std::move(run.outputs), with_vars(std::move(sequence.state), run.state)};
    }
  } else if (options.truncate && T > 0) {
    sequence.outputs = detail::truncated(T, *options.truncate, xs[0].tape(), sequence.state, options.generators, step);
  } else {
    sequence.outputs.reserve(T);
    for (std::size_t i = 0; i < T; ++i) {
      auto [output, next] = step(i, sequence.state);
      sequence.outputs.push_back(output);
      sequence.state = std::move(next);
    }
  }
  if (options.reverse) std::reverse(sequence.outputs.begin(), sequence.outputs.end());
  return sequence;
}

// The same for a layer that must see the whole sequence.
template <class Layer, class State>
requires SequenceLayerOf<Layer, State> Sequence<State> over_time(const Layer& layer, const std::vector<Var>& xs,
                                                                 State state, const OverTimeOptions& options = {}) {
  return layer(xs, std::move(state), options);
}

// The inputs of the single steps: (time, batch, feature) -> `time` times (batch, feature), named x.
std::vector<Var> time_steps(Var xs);

// The same for inputs in one array, (time, batch, feature).
template <class Cell, class State>
requires(CellOf<Cell, State> ||
         SequenceLayerOf<Cell, State>) Sequence<State> over_time(const Cell& cell, Var xs, State state,
                                                                 const OverTimeOptions& options = {}) {
  return over_time(cell, time_steps(xs), std::move(state), options);
}

// From a zero initial state, for cells that know theirs. A lambda does not: give it a state.
template <HasZeroState Cell> auto over_time(const Cell& cell, Var xs, const OverTimeOptions& options = {}) {
  const std::vector<Var> steps = time_steps(xs);
  return over_time(cell, steps, cell.zero_state(xs.tape(), xs.shape()[1]), options);
}

}  // namespace unroll
