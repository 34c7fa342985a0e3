#pragma once

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <string>
#include <vector>

namespace unroll {

struct LayerCheckOptions {
  std::int64_t steps = 4, batch = 2;
  std::int64_t input = 0;  // features of x; 0: as the layer's own options say
  OverTimeOptions over_time = {};
  GradcheckOptions gradcheck = {};
};

namespace detail {

// Random x (time, batch, input), and a random array for each Var of a state, h0 for h, as parameters of the check.
std::vector<Parameter> random_sequence(const LayerCheckOptions& options, std::int64_t input,
                                       std::span<const Var> state);
// All numbers of some Vars of any shapes, one after the other.
Var flattened(std::span<const Var> vars);

}  // namespace detail

// Checks a whole float64 layer, with any form of state, over a sequence: the gradients of all outputs and of the last state by every
// parameter, by x, and by the initial state. `unrolled(x, state)` unrolls it in another way than over_time(layer, x, state,
// options.over_time), such as packed, and gives {outputs of the steps, state}.
template <class Layer, class Unrolled>
GradcheckReport gradcheck(const Layer& layer, const LayerCheckOptions& options, const Unrolled& unrolled) {
  std::int64_t input = options.input;
  if constexpr (requires { layer.options.input; })
    if (input == 0) input = layer.options.input;
  Tape scratch;
  const auto form = layer.zero_state(scratch, options.batch);
  const std::vector<Parameter> leaves = detail::random_sequence(options, input, state_vars(form));
  std::vector<Parameter> all = layer.parameters();
  all.insert(all.end(), leaves.begin(), leaves.end());
  const auto program = [&](Tape& tape) {
    const Var x = tape.use(leaves[0]);
    std::vector<Var> initial;
    for (const Parameter& p : std::span(leaves).subspan(1)) initial.push_back(tape.use(p));
    auto [results, last] = unrolled(x, with_vars(form, initial));
    for (Var part : state_vars(last)) results.push_back(part);
    return detail::flattened(results);
  };
  return gradcheck(std::function<Var(Tape&)>(program), all, options.gradcheck);
}

template <class Layer> GradcheckReport gradcheck(const Layer& layer, const LayerCheckOptions& options) {
  return gradcheck(layer, options,
                   [&](Var x, const auto& state) { return over_time(layer, x, state, options.over_time); });
}

}  // namespace unroll
