#include <unroll/examples/zoo/cell.hpp>

// A gated recurrent unit, the reset after the product, as GPU libraries have it: two big products, and one kernel for all that is done element by
// element. The kernel is written by hand.
//
//   u = x W_x + b,  q = h_(t-1) W_h + b_h       three blocks each
//   r = sigmoid(u_r + q_r)
//   z = sigmoid(u_z + q_z)
//   n = tanh(u_n + r * q_n)
//   h_t = z * h_(t-1) + (1 - z) * n
//
// Stands for: kernels that were made from those for the reset before the product, where it is another value that r multiplies.
namespace unroll::zoo {

namespace {

std::vector<Var> kernel(std::span<const Var> in) {
  const std::vector<Var> u = split(in[0], 1, 3), q = split(in[1], 1, 3);
  const Var before = in[2];
  const Var r = sigmoid(u[0] + q[0]).named("r"), z = sigmoid(u[1] + q[1]).named("z");
  const Var n = tanh(u[2] + r * q[2]).named("n");
  const Var kept = z * before, admitted = (1 - z) * n;
  return {(kept + admitted).named("h"), r, z, n};
}

std::vector<Var> kernel_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const Var before = in[2], r = out[1], z = out[2], n = out[3];
  const Var dh = d[0], dz = dh * (before - n), dn = dh * (1 - z);
  const Var da_n = dn * (1 - square(n)), dr = da_n * n;
  const Var da_r = dr * (r * (1 - r)), da_z = dz * (z * (1 - z));
  return {concat({da_r, da_z, da_n}, 1), concat({da_r, da_z, da_n * r}, 1), dh * z};
}

struct ResetAfterGRU : GRUCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var u = affine(x, W, bias), q = affine(before.h, U, tape.use(b_h));
    const Var h = custom_vjp(kernel, kernel_backward, {u, q, before.h})[0];
    return {h, {h}};
  }

  const Parameter b_h = weight("b_h", {3 * options.hidden});
};

}  // namespace

Specimen reset_after_gru() { return specimen(ResetAfterGRU()); }

}  // namespace unroll::zoo
