#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory of which the cell update is a fused kernel, written by hand; products and gates are not.
//
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// Stands for: fused LSTM kernels, in which one thread does all of a unit's arithmetic.
namespace unroll::zoo {

namespace {

// i, f, g, o and c_(t-1) to h and c.
std::vector<Var> update(std::span<const Var> in) {
  const Var kept = in[1] * in[4], admitted = in[0] * in[2];
  const Var c = (kept + admitted).named("c");
  return {(in[3] * tanh(c)).named("h"), c};
}

std::vector<Var> update_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const Var i = in[0], g = in[2], o = in[3], c_before = in[4];
  const Var shown = tanh(out[1]);
  const Var through_h = d[0] * (o * (1 - square(shown)));
  const Var dc = d[1] + through_h;
  const Var di = dc * g, df = dc * c_before, dg = dc * i, d_o = d[0] * shown;
  return {di, df, dg, d_o, {}};
}

struct LSTMCellUpdate : LSTMCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const std::vector<Var> a = split(affine(x, W, before.h, U, bias), 1, 4);
    const Var i = sigmoid(a[0]).named("i"), f = sigmoid(a[1]).named("f"), g = tanh(a[2]).named("g");
    const Var o = sigmoid(a[3]).named("o");
    const std::vector<Var> after = custom_vjp(update, update_backward, {i, f, g, o, before.c});
    return {after[0], {after[0], after[1]}};
  }
};

}  // namespace

Specimen lstm_cell_update() { return specimen(LSTMCellUpdate()); }

}  // namespace unroll::zoo
