#include <unroll/examples/zoo/cell.hpp>

// A gated recurrent unit (Cho et al. 2014), the reset before the product, of which the candidate is written by hand.
//
//   r, z = sigmoid(x W_rz + h_(t-1) U_rz + b_rz)
//   n = tanh(s + (r * h_(t-1)) U_n),  s = x W_n + b_n
//   h_t = z * h_(t-1) + (1 - z) * n
//
// Stands for: values with two roads back, of which each was derived on another page.
namespace unroll::zoo {

namespace {

Var candidate(Var s, Var r, Var h, Var U_n) { return tanh(s + matmul(r * h, U_n)).named("n"); }

std::vector<Var> candidate_backward(Var, Var r, Var h, Var U_n, Var n, Var dn) {
  const Var ds = dn * (1 - square(n));
  const Var d_shown = matmul(ds, transpose(U_n));  // shown = r * h
  const Var dU_n = matmul(transpose(r * h), ds);
  return {ds, d_shown * h, d_shown, dU_n};
}

struct ResetBeforeGRU : GRUCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const std::int64_t H = options.hidden;
    const auto [W, U, bias] = weights(x.tape());
    const Var from_x = affine(x, W, bias), U_rz = slice(U, 1, 0, 2 * H), U_n = slice(U, 1, 2 * H, 3 * H);
    const Var from_h = matmul(before.h, U_rz), rz = sigmoid(slice(from_x, 1, 0, 2 * H) + from_h);
    const Var r = slice(rz, 1, 0, H).named("r"), z = slice(rz, 1, H, 2 * H).named("z");
    const Var s = slice(from_x, 1, 2 * H, 3 * H);
    const Var n = custom_vjp(candidate, candidate_backward, s, r, before.h, U_n);
    const Var kept = z * before.h, admitted = (1 - z) * n;
    const Var h = (kept + admitted).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen reset_before_gru() { return specimen(ResetBeforeGRU()); }

}  // namespace unroll::zoo
