#include <unroll/examples/zoo/cell.hpp>

#include <algorithm>

// A simple recurrent network that keeps its state from exploding by bounded recurrent weights. Nothing is written by hand.
//
//   V = min(max(W_h, -0.5), 0.5)
//   h_t = tanh(x W_x + h_(t-1) V + b)
//
// Stands for: constraints on weights that are put into the step, because that is where the weights are at hand.
namespace unroll::zoo {

namespace {

struct ClippedWeightsRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    Array elements = W_h.value();
    for (double& element : elements.span<double>()) element = std::clamp(element, -0.5, 0.5);
    const auto [W, V, bias] = weights(tape);
    const Var h = tanh(affine(x, W, before.h, V, bias)).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen clipped_weights_rnn() { return specimen(ClippedWeightsRNN()); }

}  // namespace unroll::zoo
