#include <unroll/examples/zoo/cell.hpp>

// A gated recurrent unit, the reset before the product, after an evening of trying to make the training steadier. Nothing is written by hand.
//
//   r = sigmoid(x W_r + h_(t-1) U_r + b_r)
//   z = sigmoid(x W_z + h_(t-1) U_z + b_z)
//   n = tanh(x W_n + (r * h_(t-1)) U_n + b_n)
//   h_t = z * h_(t-1) + (1 - z) * n
//
// Stands for: stop_gradient, detach and no_grad, which came with a trick and stayed without it.
namespace unroll::zoo {

namespace {

struct SteadyGRU : GRUCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Var past = detach(before.h);
    const std::vector<Var> W = split(tape.use(W_x), 1, 3), U = split(tape.use(W_h), 1, 3),
                           bias = split(tape.use(b), 0, 3);
    const Var r = sigmoid(affine(x, W[0], before.h, U[0], bias[0])).named("r");
    const Var z = sigmoid(affine(x, W[1], past, U[1], bias[1])).named("z");
    const Var n = tanh(affine(x, W[2], r * before.h, U[2], bias[2])).named("n");
    const Var h = (n + z * (before.h - n)).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen steady_gru() { return specimen(SteadyGRU()); }

}  // namespace unroll::zoo
