#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory with peepholes (Gers and Schmidhuber 2000): the gates also see the memory, those of input and forgetting as it was, that
// of output as it is now. All but the products is written by hand.
//
//   i = sigmoid(a_i + p_i * c_(t-1))
//   f = sigmoid(a_f + p_f * c_(t-1))
//   g = tanh(a_g)
//   c_t = f * c_(t-1) + i * g
//   o = sigmoid(a_o + p_o * c_t)
//   h_t = o * tanh(c_t),     a = x W_x + h_(t-1) W_h + b
//
// Stands for: peepholes added to a finished kernel, three at a time.
namespace unroll::zoo {

namespace {

// a, c_(t-1), p_i, p_f, p_o to h, c and the gates.
std::vector<Var> update(std::span<const Var> in) {
  const std::vector<Var> a = split(in[0], 1, 4);
  const Var i = sigmoid(a[0] + in[2] * in[1]).named("i"), f = sigmoid(a[1] + in[3] * in[1]).named("f");
  const Var g = tanh(a[2]).named("g"), kept = f * in[1], admitted = i * g;
  const Var c = (kept + admitted).named("c");
  const Var o = sigmoid(a[3] + in[4] * c).named("o");
  return {(o * tanh(c)).named("h"), c, i, f, g, o};
}

std::vector<Var> update_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const Var before = in[1], p_i = in[2], p_f = in[3], p_o = in[4];
  const Var c = out[1], i = out[2], f = out[3], g = out[4], o = out[5], shown = tanh(c);
  const Var slope_i = i * (1 - i), slope_f = f * (1 - f), slope_g = 1 - square(g), slope_o = o * (1 - o);
  const Var da_o = d[0] * shown * slope_o;
  Var dc = d[1];
  add_to(dc, d[0] * (o * (1 - square(shown))));
  add_to(dc, da_o * p_o);
  const Var da_i = dc * g * slope_i, da_f = dc * before * slope_f, da_g = dc * i * slope_g;
  Var d_before = dc * f;
  add_to(d_before, da_i * p_i);
  add_to(d_before, da_f * p_f);
  return {concat({da_i, da_f, da_g, da_o}, 1), d_before, da_i * before, da_f * before, da_o * before};
}

struct PeepholeLSTM : LSTMCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var a = affine(x, W, before.h, U, bias);
    const std::vector<Var> inputs{a, before.c, tape.use(p_i), tape.use(p_f), tape.use(p_o)};
    const std::vector<Var> after = custom_vjp(update, update_backward, inputs);
    return {after[0], {after[0], after[1]}};
  }

  const Parameter p_i = weight("p_i", {options.hidden});
  const Parameter p_f = weight("p_f", {options.hidden});
  const Parameter p_o = weight("p_o", {options.hidden});
};

}  // namespace

Specimen peephole_lstm() { return specimen(PeepholeLSTM()); }

}  // namespace unroll::zoo
