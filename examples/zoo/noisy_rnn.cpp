#include <unroll/examples/zoo/cell.hpp>

#include <memory>

// A simple recurrent network whose units are noisy while it learns. Nothing is written by hand.
//
//   h_t = tanh(x W_x + h_(t-1) W_h + b + noise_t)      noise_t uniform in -0.1 .. 0.1
//
// Stands for: layers that are checked as they are trained, with all that is random in training.
namespace unroll::zoo {

namespace {

struct NoisyRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var noise = tape.constant(uniform(before.h.shape(), -0.1, 0.1, *generator, DType::f64), "noise");
    const Var h = tanh(affine(x, W, before.h, U, bias) + noise).named("h");
    return {h, {h}};
  }

  const std::shared_ptr<Generator> generator = std::make_shared<Generator>(11);
};

}  // namespace

Specimen noisy_rnn() { return specimen(NoisyRNN()); }

}  // namespace unroll::zoo
