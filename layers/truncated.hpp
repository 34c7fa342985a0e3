#pragma once

#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace unroll {

// Truncated backpropagation through time, BPTT(k2; k1) of Williams and Peng (1990): after every k1 steps a window ends, and the loss of its steps
// flows back over at most k2 steps, counted from the end of the window. So a loss reaches back over at least k2 - k1 + 1 and at most k2
// steps, whatever the length of the sequence.
struct Truncation {
  std::int64_t k1 = 0, k2 = 0;  // 1 <= k1 <= k2
};

namespace detail {

// Throws ShapeError unless 1 <= k1 <= k2.
void require_truncation(const Truncation& truncation);
// The Var of a state, detached: named like it, at its step, in a scope "cut" inside its own.
Var cut(Var part);

}  // namespace detail

// Unrolls a cell over time so that backward() of any loss of the outputs gives the truncated gradient: ordinary BPTT, on a tape with cuts.
//
//   auto [outputs, last] = over_time(lstm, xs, state, {.k1 = 10, .k2 = 20});
//   backward(mean(square(stack(outputs))));
//
// With k1 == k2 this is one forward pass whose state is detached every k1 steps. With k2 > k1 windows overlap: each starts from the detached state
// k2 steps before its end, and the steps before its own k1 are recorded once more, in a scope "warm-up"; values are the same, and a step is
// recorded up to ceil(k2 / k1) times. Windows that reach back to step 0 need neither a cut nor a warm-up: with k2 >= T this is full BPTT, node by
// node. The last window may be shorter. cuts() of core/grad/cuts.hpp lists the cut edges. Throws ShapeError unless 1 <= k1 <= k2.
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, const std::vector<Var>& xs, State state,
                                                       const Truncation& truncation) {
  detail::require_truncation(truncation);
  const auto T = static_cast<std::int64_t>(xs.size());
  const std::int64_t k1 = std::min(truncation.k1, T), k2 = std::min(truncation.k2, T);
  Sequence<State> sequence{{}, state};
  std::vector<State> states{std::move(state)};  // states[t] follows step t
  State& now = sequence.state;
  const auto step = [&](std::int64_t t) {
    const Var x = xs[static_cast<std::size_t>(t - 1)];
    const Step at(x.tape(), t);
    auto [output, next] = cell(x, now);
    now = std::move(next);
    return output;
  };
  for (std::int64_t begin = 0; begin < T; begin += k1) {
    const std::int64_t end = std::min(begin + k1, T);
    // without overlap nothing is recorded twice, also where the last window is shorter
    const std::int64_t start = k1 == k2 ? begin : std::max<std::int64_t>(0, end - k2);
    if (start > 0) {
      now = map_state(states[static_cast<std::size_t>(start)], detail::cut);
      const Scope warm_up(xs[static_cast<std::size_t>(start)].tape(), "warm-up");
      for (std::int64_t t = start + 1; t <= begin; ++t) step(t);
    }
    for (std::int64_t t = begin + 1; t <= end; ++t) {
      sequence.outputs.push_back(step(t));
      states.push_back(now);
    }
  }
  return sequence;
}

// The same for inputs in one array, (time, batch, feature).
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, Var xs, State state,
                                                       const Truncation& truncation) {
  return over_time(cell, time_steps(xs), std::move(state), truncation);
}

}  // namespace unroll
