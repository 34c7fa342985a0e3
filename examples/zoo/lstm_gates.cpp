#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory of which the activations of all four gates are one kernel, written by hand.
//
//   a = x W_x + h_(t-1) W_h + b                    blocks i f g o
//   i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
//   g = tanh(a_g)
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// Stands for: four lines that look alike, of which each was changed by hand.
namespace unroll::zoo {

namespace {

std::vector<Var> gates(std::span<const Var> in) {
  const std::vector<Var> a = split(in[0], 1, 4);
  const Var i = sigmoid(a[0]).named("i"), f = sigmoid(a[1]).named("f");
  const Var g = tanh(a[2]).named("g"), o = sigmoid(a[3]).named("o");
  return {i, f, g, o};
}

std::vector<Var> gates_backward(std::span<const Var>, std::span<const Var> out, std::span<const Var> d) {
  const Var i = out[0], f = out[1], g = out[2];
  const Var da_i = d[0] * (i * (1 - i)), da_f = d[1] * (f * (1 - f)), da_g = d[2] * (1 - g * g), da_o = d[3];
  return {concat({da_i, da_f, da_g, da_o}, 1)};
}

struct LSTMGates : LSTMCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const std::vector<Var> gate = custom_vjp(gates, gates_backward, {affine(x, W, before.h, U, bias)});
    const Var kept = gate[1] * before.c, admitted = gate[0] * gate[2];
    const Var c = (kept + admitted).named("c");
    const Var h = (gate[3] * tanh(c)).named("h");
    return {h, {h, c}};
  }
};

}  // namespace

Specimen lstm_gates() { return specimen(LSTMGates()); }

}  // namespace unroll::zoo
