#include <unroll/layers/textbook.hpp>

#include <unroll/layers/cell_shapes.hpp>

#include <fmt/format.h>

namespace unroll::textbook {

namespace {

// Block k of a packed array, whose last axis holds blocks of `width` side by side.
Array block(const Parameter& packed, std::int64_t k, std::int64_t width) {
  const Shape& shape = packed.shape();
  const bool matrix = shape.rank() == 2;
  Array result(matrix ? Shape{shape[0], width} : Shape{width}, packed.dtype());
  const std::int64_t rows = matrix ? shape[0] : 1, columns = shape[shape.rank() - 1];
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < width; ++j)
      result.set_flat(static_cast<std::size_t>(i * width + j),
                      packed.value().flat(static_cast<std::size_t>(i * columns + k * width + j)));
  return result;
}

// The textbook's forms are without these options: throws Error, naming the one that was asked for.
void require_plain(const Module& layer, bool layer_norm, bool projection = false) {
  if (layer_norm || projection)
    throw Error(fmt::format("{}: the textbook form has no {}: leave it out, or take the packed form", layer.name(),
                            layer_norm ? "layer normalisation" : "projection"));
}

// x W + h U + b, by primitives. (The order in which C++ evaluates the sides of a + is open, and with it the order on the tape; what is
// recorded on both sides is therefore named first, here and below.)
Var preactivation(Var x, Var h, const Gate& gate) {
  Tape& tape = x.tape();
  const Var W = tape.use(gate.W), U = tape.use(gate.U), b = tape.use(gate.b);
  const Var from_x = matmul(x, W), from_h = matmul(h, U);
  return from_x + from_h + b;
}

}  // namespace

// ---- RNN

RNN::RNN(const unroll::RNN& packed) : Module(packed.name()), options(packed.options) {
  require_plain(packed, options.layer_norm);
  W_x = add("W_x", packed.W_x.value());
  W_h = add("W_h", packed.W_h.value());
  b = add("b", packed.b.value());
}

std::pair<Var, HiddenState> RNN::operator()(Var x, State before) const {
  const Scope scope(x.tape(), name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}}, options.hidden);
  const Var a = preactivation(x, before.h, {W_x, W_h, b});
  const Var h = (options.activation == Activation::tanh ? tanh(a) : relu(a)).named("h");
  return {h, {h}};
}

HiddenState RNN::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_hidden_state(tape, name(), batch, options.hidden, options.dtype);
}

// ---- LSTM

LSTM::LSTM(const unroll::LSTM& packed) : Module(packed.name()), options(packed.options) {
  require_plain(packed, options.layer_norm, options.projection > 0);
  const std::int64_t H = options.hidden;
  const auto gate = [&](const std::string& letter, std::int64_t k) {
    return Gate{add("W_" + letter, block(packed.W_x, k, H)), add("U_" + letter, block(packed.W_h, k, H)),
                add("b_" + letter, block(packed.b, k, H))};
  };
  input = gate("i", 0);
  forget = gate("f", 1);
  candidate = gate("g", 2);
  output = gate("o", 3);
  if (!options.peepholes) return;
  p_i = add("p_i", packed.p_i.value());
  p_f = add("p_f", packed.p_f.value());
  p_o = add("p_o", packed.p_o.value());
}

std::pair<Var, LSTMState> LSTM::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}, {"c", before.c}}, options.hidden);
  const auto sigmoid_gate = [&](const char* part, const char* letter, const Gate& gate, const Parameter& peephole,
                                Var c) {
    const Scope gate_scope(tape, part);
    Var a = preactivation(x, before.h, gate);
    if (options.peepholes) a = a + tape.use(peephole) * c;
    return sigmoid(a).named(letter);
  };
  const auto tanh_gate = [&] {
    const Scope gate_scope(tape, "candidate");
    return tanh(preactivation(x, before.h, candidate)).named("g");
  };

  const Var f = sigmoid_gate("forget gate", "f", forget, p_f, before.c);
  const Var i = sigmoid_gate("input gate", "i", input, p_i, before.c);
  const Var g = tanh_gate();
  const Var kept = f * before.c, admitted = i * g;
  const Var c = (kept + admitted).named("c");
  const Var o = sigmoid_gate("output gate", "o", output, p_o, c);
  const Var h = (o * tanh(c)).named("h");
  return {h, {h, c}};
}

LSTMState LSTM::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_lstm_state(tape, name(), batch, options.hidden, options.hidden, options.dtype);
}

// ---- GRU

GRU::GRU(const unroll::GRU& packed) : Module(packed.name()), options(packed.options) {
  require_plain(packed, options.layer_norm);
  const std::int64_t H = options.hidden;
  const auto gate = [&](const std::string& letter, std::int64_t k) {
    return Gate{add("W_" + letter, block(packed.W_x, k, H)), add("U_" + letter, block(packed.W_h, k, H)),
                add("b_" + letter, block(packed.b, k, H))};
  };
  reset = gate("r", 0);
  update = gate("z", 1);
  candidate = gate("n", 2);
  if (options.reset == Reset::before) return;
  b_hr = add("b_hr", block(packed.b_h, 0, H));
  b_hz = add("b_hz", block(packed.b_h, 1, H));
  b_hn = add("b_hn", block(packed.b_h, 2, H));
}

std::pair<Var, HiddenState> GRU::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}}, options.hidden);
  const bool after = options.reset == Reset::after;
  const auto gate = [&](const char* part, const char* letter, const Gate& weights, const Parameter& second_bias) {
    const Scope gate_scope(tape, part);
    Var a = preactivation(x, before.h, weights);
    if (after) a = a + tape.use(second_bias);
    return sigmoid(a).named(letter);
  };
  const Var r = gate("reset gate", "r", reset, b_hr);
  const Var z = gate("update gate", "z", update, b_hz);
  const auto new_content = [&] {
    const Scope gate_scope(tape, "candidate");
    if (!after) return tanh(preactivation(x, r * before.h, candidate)).named("n");
    const Var W = tape.use(candidate.W), U = tape.use(candidate.U), b = tape.use(candidate.b), b_h = tape.use(b_hn);
    const Var from_x = matmul(x, W) + b, from_h = matmul(before.h, U) + b_h;
    return tanh(from_x + r * from_h).named("n");
  };
  const Var n = new_content();
  const Var kept = z * before.h, admitted = (1 - z) * n;
  const Var h = (kept + admitted).named("h");
  return {h, {h}};
}

HiddenState GRU::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_hidden_state(tape, name(), batch, options.hidden, options.dtype);
}

}  // namespace unroll::textbook
