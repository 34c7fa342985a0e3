#include <unroll/examples/zoo/cell.hpp>

// A recurrent network of rectified units that compress what is large. Nothing is written by hand, and no value on the way is wrong.
//
//   a = x W_x + h_(t-1) W_h + b
//   h_t = sqrt(a + 1/4) - 1/2 where a > 0, else 0
//
// Stands for: formulas with a case distinction, in which each case holds for its own numbers only.
namespace unroll::zoo {

namespace {

struct SquareRootRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var a = affine(x, W, before.h, U, bias);
    const Var positive = relu(sign(a)), zero = tape.scalar(0, DType::f64);
    const Var h = where(positive, sqrt(a + 0.25) - 0.5, zero).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen square_root_rnn() { return specimen(SquareRootRNN()); }

}  // namespace unroll::zoo
