#include <unroll/examples/zoo/cell.hpp>

// A gated recurrent unit (Cho et al. 2014), the reset before the product, of which the last line is written by hand.
//
//   r = sigmoid(x W_r + h_(t-1) U_r + b_r)
//   z = sigmoid(x W_z + h_(t-1) U_z + b_z)      here z keeps the past
//   n = tanh(x W_n + (r * h_(t-1)) U_n + b_n)
//   h_t = z * h_(t-1) + (1 - z) * n
//
// Stands for: the two conventions for z, side by side in papers, lecture notes and libraries.
namespace unroll::zoo {

namespace {

Var mix(Var h, Var z, Var n) {
  const Var kept = z * h, admitted = (1 - z) * n;
  return (kept + admitted).named("h");
}

std::vector<Var> mix_backward(Var h, Var z, Var n, Var, Var d) { return {d * (1 - z), d * (h - n), d * z}; }

struct GRUMix : GRUCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const std::vector<Var> from_x = split(affine(x, W, bias), 1, 3), U_rzn = split(U, 1, 3);
    const Var r = sigmoid(from_x[0] + matmul(before.h, U_rzn[0])).named("r");
    const Var z = sigmoid(from_x[1] + matmul(before.h, U_rzn[1])).named("z");
    const Var n = tanh(from_x[2] + matmul(r * before.h, U_rzn[2])).named("n");
    const Var h = custom_vjp(mix, mix_backward, before.h, z, n);
    return {h, {h}};
  }
};

}  // namespace

Specimen gru_mix() { return specimen(GRUMix()); }

}  // namespace unroll::zoo
