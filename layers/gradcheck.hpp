#pragma once

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/rnn.hpp>

#include <string>
#include <vector>

namespace unroll {

struct LayerCheckOptions {
  std::int64_t steps = 4, batch = 2;
  GradcheckOptions gradcheck = {};
};

namespace detail {

// Random x (time, batch, input) and one random state (batch, hidden) for each name, as parameters of the check.
std::vector<Parameter> random_sequence(const LayerCheckOptions& options, std::int64_t input, std::int64_t hidden,
                                       const std::vector<std::string>& states);

inline HiddenState state_of(Tape& tape, std::span<const Parameter> s, HiddenState) { return {tape.use(s[0])}; }
inline LSTMState state_of(Tape& tape, std::span<const Parameter> s, LSTMState) {
  return {tape.use(s[0]), tape.use(s[1])};
}
inline std::vector<std::string> state_names(HiddenState) { return {"h0"}; }
inline std::vector<std::string> state_names(LSTMState) { return {"h0", "c0"}; }
inline std::vector<Var> parts(HiddenState state) { return {state.h}; }
inline std::vector<Var> parts(LSTMState state) { return {state.h, state.c}; }

}  // namespace detail

// Checks a whole float64 layer over a sequence: the gradients of all outputs and of the last state by every parameter, by x, and by the
// initial state.
template <class Layer> GradcheckReport gradcheck(const Layer& layer, const LayerCheckOptions& options) {
  using State = typename Layer::State;
  const std::vector<Parameter> leaves =
      detail::random_sequence(options, layer.options.input, layer.options.hidden, detail::state_names(State{}));
  std::vector<Parameter> all = layer.parameters();
  all.insert(all.end(), leaves.begin(), leaves.end());
  const auto program = [&](Tape& tape) {
    const State initial = detail::state_of(tape, std::span(leaves).subspan(1), State{});
    const Sequence<State> sequence = over_time(layer, tape.use(leaves[0]), initial);
    std::vector<Var> results = sequence.outputs;
    for (Var part : detail::parts(sequence.state)) results.push_back(part);
    return stack(results, 0);
  };
  return gradcheck(std::function<Var(Tape&)>(program), all, options.gradcheck);
}

}  // namespace unroll
