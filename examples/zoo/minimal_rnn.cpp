#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network whose step is one function, with its backward beside it.
//
//   a = x W_x + h_(t-1) W_h + b
//   h_t = tanh(a)
//
// Stands for: from-scratch networks whose step was written and tested on its own, and put into a loop later.
namespace unroll::zoo {

namespace {

Var step(Var x, Var before, Var W_x, Var W_h, Var b) { return tanh(affine(x, W_x, before, W_h, b)).named("h"); }

std::vector<Var> step_backward(Var x, Var before, Var W_x, Var, Var, Var h, Var dh) {
  const Var da = dh * (1 - square(h));
  const Var dW_x = matmul(transpose(x), da), dW_h = matmul(transpose(before), da);
  const Var dx = matmul(da, transpose(W_x)), d_before = x.tape().constant(Array(before.shape(), DType::f64));
  return {dx, d_before, dW_x, dW_h, sum(da, {0})};
}

struct MinimalRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const Var h = custom_vjp(step, step_backward, x, before.h, W, U, bias);
    return {h, {h}};
  }
};

}  // namespace

Specimen minimal_rnn() { return specimen(MinimalRNN()); }

}  // namespace unroll::zoo
