#include <unroll/layers/lstm.hpp>

#include <unroll/layers/cell_shapes.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/options.hpp>

namespace unroll {

LSTM::LSTM(const LSTMOptions& o, Generator& generator) : Module(o.name), options(o) {
  require_positive(o.name, "input", o.input);
  require_positive(o.name, "hidden", o.hidden);
  const std::int64_t H = o.hidden;
  if (o.projection != 0) require_positive(o.name, "projection", o.projection);
  W_x = add("W_x", glorot_uniform({o.input, 4 * H}, generator, o.dtype, 4));
  W_h = add("W_h", orthogonal({output(), 4 * H}, generator, o.dtype, 4));
  Array bias({4 * H}, o.dtype);
  for (std::int64_t j = H; j < 2 * H; ++j) bias.set_flat(static_cast<std::size_t>(j), o.forget_bias);
  b = add("b", bias);
  if (o.peepholes) {
    p_i = add("p_i", uniform({H}, -0.1, 0.1, generator, o.dtype));
    p_f = add("p_f", uniform({H}, -0.1, 0.1, generator, o.dtype));
    p_o = add("p_o", uniform({H}, -0.1, 0.1, generator, o.dtype));
  }
  if (o.layer_norm) {
    g_x = add("g_x", Array::filled({4 * H}, 1, o.dtype));
    g_h = add("g_h", Array::filled({4 * H}, 1, o.dtype));
    g_c = add("g_c", Array::filled({H}, 1, o.dtype));
    b_c = add("b_c", Array({H}, o.dtype));
  }
  if (o.projection > 0) W_p = add("W_p", glorot_uniform({H, o.projection}, generator, o.dtype));
}

Var LSTM::gate_sums(Var x, Var h) const {
  Tape& tape = x.tape();
  const Var W = tape.use(W_x), U = tape.use(W_h), bias = tape.use(b);
  if (!options.layer_norm) return affine(x, W, h, U, bias);
  const Var gain_x = tape.use(g_x), gain_h = tape.use(g_h);
  const Var from_x = normalized(matmul(x, W)) * gain_x, from_h = normalized(matmul(h, U)) * gain_h;
  return from_x + from_h + bias;
}

std::pair<Var, LSTMState> LSTM::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}}, output());
  require_cell_shapes(name(), x, options.input, {{"c", before.c}}, options.hidden);
  const std::int64_t H = options.hidden;
  const Var z = gate_sums(x, before.h).named("z");
  const auto block = [&](std::int64_t k) { return slice(z, 1, k * H, (k + 1) * H); };
  const auto peep = [&](Var a, const Parameter& p, Var c) { return options.peepholes ? a + tape.use(p) * c : a; };

  const Var i = sigmoid(peep(block(0), p_i, before.c)).named("i");
  const Var f = sigmoid(peep(block(1), p_f, before.c)).named("f");
  const Var g = tanh(block(2)).named("g");
  const Var kept = f * before.c, admitted = i * g;
  const Var c = (kept + admitted).named("c");
  const Var o = sigmoid(peep(block(3), p_o, c)).named("o");
  const auto on_the_way_out = [&] {
    const Var gain = tape.use(g_c), bias = tape.use(b_c);
    return layer_norm(c, gain, bias);
  };
  const Var shown = o * tanh(options.layer_norm ? on_the_way_out() : c);
  const Var h = (options.projection > 0 ? matmul(shown, tape.use(W_p)) : shown).named("h");
  return {h, {h, c}};
}

LSTMState zero_lstm_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t output,
                          std::int64_t hidden, DType dtype) {
  const Scope scope(tape, layer);
  const Step step(tape, 0);
  return {tape.constant(Array({batch, output}, dtype), "h"), tape.constant(Array({batch, hidden}, dtype), "c")};
}

LSTMState LSTM::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_lstm_state(tape, name(), batch, output(), options.hidden, options.dtype);
}

}  // namespace unroll
