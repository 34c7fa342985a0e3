#pragma once

#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/layers/state.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace unroll {

// Truncated backpropagation through time, BPTT(k2; k1) of Williams and Peng (1990): after every k1 steps a window ends, and the loss of its steps
// flows back over at most k2 steps, counted from the end of the window. So a loss reaches back over at least k2 - k1 + 1 and at most k2
// steps, whatever the length of the sequence. backward() of any loss of the outputs gives the truncated gradient: ordinary BPTT, on a tape with cuts.
//
//   auto [outputs, last] = over_time(lstm, xs, state, {.truncate = Truncation{.k1 = 10, .k2 = 20}});
//   backward(mean(square(stack(outputs))));
//
// With k1 == k2 this is one forward pass whose state is detached every k1 steps. With k2 > k1 windows overlap: each starts from the detached state
// k2 steps before its end, and the steps before its own k1 are recorded once more, in a scope "warm-up"; values are the same, and a step is
// recorded up to ceil(k2 / k1) times, once more where the last window is shorter. Windows that reach back to step 0 need neither a cut nor a warm-up: with k2 >= T this is full BPTT, node by
// node. The last window may be shorter. cuts() of core/grad/cuts.hpp lists the cut edges.
// See docs/ways-through-time.md and tutorials/15/README.md.
struct Truncation {
  std::int64_t k1 = 0, k2 = 0;  // 1 <= k1 <= k2
};

namespace detail {

// Throws ShapeError unless 1 <= k1 <= k2.
void require_truncation(const Truncation& truncation);
// The Var of a state, detached: named like it, at its step, in a scope "cut" inside its own.
Var cut(Var part);

// Runs T steps in windows: step(i, state) records the step at position i = 0 .. T - 1 and gives {output, next state}.
template <class State, class Step>
std::vector<Var> truncated(std::size_t T, const Truncation& truncation, Tape& tape, State& state,
                           const std::vector<Generator*>& generators, const Step& step) {
  require_truncation(truncation);
  const std::size_t k1 = std::min(static_cast<std::size_t>(truncation.k1), T);
  const std::size_t k2 = std::min(static_cast<std::size_t>(truncation.k2), T);
  std::vector<Var> outputs;
  std::vector<State> states{state};  // states[i] is the one before position i
  std::vector<GeneratorStates>
      draws;  // the same for generators; a warm-up begins with them and comes to where they are
  const auto run = [&](std::size_t i) {
    auto [output, next] = step(i, state);
    state = std::move(next);
    return output;
  };
  for (std::size_t begin = 0; begin < T; begin += k1) {
    const std::size_t end = std::min(begin + k1, T);
    // without overlap nothing is recorded twice, also where the last window is shorter
    const std::size_t start = k1 == k2 ? begin : end > k2 ? end - k2 : 0;
    for (std::size_t i = begin > k2 ? begin - k2 : 0; i-- > 0 && !draws[i].empty();)
      draws[i].clear();  // no window reaches there any more
    if (start > 0) {
      state = map_state(states[start], cut);
      for (std::size_t i = 0; !generators.empty() && start < begin && i < generators.size(); ++i)
        *generators[i] = draws[start][i].second;
      const Scope warm_up(tape, "warm-up");
      for (std::size_t i = start; i < begin; ++i) run(i);
    }
    for (std::size_t i = begin; i < end; ++i) {
      draws.push_back(states_of(generators));
      outputs.push_back(run(i));
      states.push_back(state);
    }
  }
  return outputs;
}

}  // namespace detail

}  // namespace unroll
