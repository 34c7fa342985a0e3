#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network (Elman 1990) of which only the activation is written by hand: forward and backward as a pair, as a library of
// layers has them.
//
//   a = x W_x + h_(t-1) W_h + b
//   h_t = tanh(a)
//   tanh'(a) = 1 - tanh(a)^2
//
// Stands for: libraries in which some activations keep what went in for the way back and others what came out.
namespace unroll::zoo {

namespace {

Var activation(Var a) { return tanh(a).named("h"); }

Var activation_backward(Var a, Var, Var dh) { return dh * (1 - square(a)); }

struct TanhUnit : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const Var a = affine(x, W, before.h, U, bias);
    const Var h = custom_vjp(activation, activation_backward, a);
    return {h, {h}};
  }
};

}  // namespace

Specimen tanh_unit() { return specimen(TanhUnit()); }

}  // namespace unroll::zoo
