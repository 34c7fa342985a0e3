#include <unroll/examples/zoo/cell.hpp>

// A recurrent network of rectified units (Le, Jaitly and Hinton 2015), its step written by hand.
//
//   a = x W_x + h_(t-1) W_h + b
//   h_t = max(a, 0)
//
// Stands for: loops that overwrite one variable h, so that on the way back it is not always clear which step it is of.
namespace unroll::zoo {

namespace {

Var rectified_step(Var x, Var h, Var W_x, Var W_h, Var b) {
  h = relu(affine(x, W_x, h, W_h, b)).named("h");
  return h;
}

std::vector<Var> rectified_step_backward(Var x, Var, Var W_x, Var W_h, Var, Var h, Var dh) {
  const Var open = sign(h);
  const Var da = dh * open;
  return {matmul(da, transpose(W_x)), matmul(da, transpose(W_h)), matmul(transpose(x), da), matmul(transpose(h), da),
          sum(da, {0})};
}

struct IRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const Var h = custom_vjp(rectified_step, rectified_step_backward, x, before.h, W, U, bias);
    return {h, {h}};
  }
};

}  // namespace

Specimen irnn() { return specimen(IRNN()); }

}  // namespace unroll::zoo
