#include <unroll/examples/zoo/cell.hpp>

// A minimal gated unit (Zhou et al. 2016) with the hard sigmoid of networks that must be cheap. The hard sigmoid is written by hand.
//
//   s(a) = min(max((a + 1) / 2, 0), 1)
//   f = s(x W_f + h_(t-1) U_f + b_f)
//   n = tanh(x W_n + (f * h_(t-1)) U_n + b_n)
//   h_t = (1 - f) * h_(t-1) + f * n
//
// Stands for: quantised and binarised networks, whose step functions have a made-up derivative.
namespace unroll::zoo {

namespace {

Var hard_sigmoid(Var a) { return clip((a + 1) / 2, 0, 1).named("f"); }

Var hard_sigmoid_backward(Var, Var, Var df) { return df / 2; }

class MinimalGatedUnit : public PackedCell<HiddenCell, 2> {
 public:
  explicit MinimalGatedUnit(Sizes sizes = {}) : PackedCell("mgu", sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const std::vector<Var> from_x = split(affine(x, W, bias), 1, 2), U_fn = split(U, 1, 2);
    const Var f = custom_vjp(hard_sigmoid, hard_sigmoid_backward, from_x[0] + matmul(before.h, U_fn[0]));
    const Var n = tanh(from_x[1] + matmul(f * before.h, U_fn[1])).named("n");
    const Var kept = (1 - f) * before.h, admitted = f * n;
    const Var h = (kept + admitted).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen minimal_gated_unit() { return specimen(MinimalGatedUnit()); }

}  // namespace unroll::zoo
