#pragma once

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

// The sequence on which a layer is checked, and how.
struct LayerCheckOptions {
  std::int64_t steps = 4, batch = 2;  // of the random sequence
  std::int64_t input = 0;             // features of x; 0: as the layer's own options say
  OverTimeOptions over_time = {};     // how it is unrolled
  GradcheckOptions gradcheck = {};    // how gradients are compared
};

namespace detail {

// Random x (time, batch, input), and a random array for each Var of a state, h0 for h, as leaves of the check.
std::vector<CheckedLeaf> random_sequence(const LayerCheckOptions& options, std::int64_t input, DType dtype,
                                         std::span<const Var> state);
// All numbers of some Vars of any shapes, one after the other.
Var flattened(std::span<const Var> vars);
DType dtype_of(const std::vector<Parameter>& parameters);

}  // namespace detail

// A layer, with any form of state, over a random sequence from a random initial state, as a program: the outputs of all steps and the last state, by
// every parameter, by x and by the initial state. `unrolled(x, state)` unrolls it and gives {outputs of the steps, state}. The layer and what
// `unrolled` refers to must outlive the program. `resizable` says that it may be run with other numbers of steps and sequences.
template <class Layer, class Unrolled>
CheckedProgram checked_program(const Layer& layer, const LayerCheckOptions& options, const Unrolled& unrolled,
                               bool resizable = false) {
  std::int64_t input = options.input;
  if constexpr (requires { layer.options.input; })
    if (input == 0) input = layer.options.input;
  Tape scratch;
  const auto form = layer.zero_state(scratch, options.batch);
  const std::vector<CheckedLeaf> own =
      detail::random_sequence(options, input, detail::dtype_of(layer.parameters()), state_vars(form));
  CheckedProgram program{.record = {}, .leaves = {}, .steps = options.steps, .batch = options.batch};
  for (const Parameter& p : layer.parameters()) program.leaves.push_back({p, {}});
  program.leaves.insert(program.leaves.end(), own.begin(), own.end());
  program.record = [&unrolled, own, form](Tape& tape) {
    const Var x = tape.use(own[0].parameter);
    std::vector<Var> initial;
    for (const CheckedLeaf& leaf : std::span(own).subspan(1)) initial.push_back(tape.use(leaf.parameter));
    auto [results, last] = unrolled(x, with_vars(form, initial));
    for (Var part : state_vars(last)) results.push_back(part);
    return detail::flattened(results);
  };
  if (resizable)
    program.resized = [&layer, options, &unrolled](std::int64_t steps, std::int64_t batch) {
      LayerCheckOptions other = options;
      other.steps = steps;
      other.batch = batch;
      return checked_program(layer, other, unrolled, true);
    };
  return program;
}

// Checks a whole layer over a sequence. `unrolled(x, state)` unrolls it in another way than over_time(layer, x, state, options.over_time), such as
// packed, and gives {outputs of the steps, state}.
// See docs/gradient-checking.md and tutorials/12/README.md.
template <class Layer, class Unrolled>
GradcheckReport gradcheck(const Layer& layer, const LayerCheckOptions& options, const Unrolled& unrolled) {
  return gradcheck(checked_program(layer, options, unrolled), options.gradcheck);
}

// Checks a whole layer, unrolled by over_time(): by every parameter, by x and by the initial state.
// See docs/gradient-checking.md and tutorials/12/README.md.
template <HasZeroState Layer> GradcheckReport gradcheck(const Layer& layer, const LayerCheckOptions& options) {
  const auto unrolled = [&](Var x, const auto& state) { return over_time(layer, x, state, options.over_time); };
  const bool resizable = !options.over_time.mask && options.over_time.lengths.empty();
  return gradcheck(checked_program(layer, options, unrolled, resizable), options.gradcheck);
}

}  // namespace unroll
