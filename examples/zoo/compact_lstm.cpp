#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory in nine lines. Nothing is written by hand: every derivative is the library's.
//
//   a = x W_x + h_(t-1) W_h + b         blocks i f g o
//   i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
//   g = tanh(a_g)
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// Stands for: cells that were ported from a library of arrays to a library of gradients.
namespace unroll::zoo {

namespace {

struct CompactLSTM : LSTMCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var a = affine(x, W, before.h, U, bias), squashed = sigmoid(a);
    const auto block = [&](Var v, std::int64_t k) { return slice(v, 1, k * options.hidden, (k + 1) * options.hidden); };
    const Var i = block(squashed, 0).named("i"), f = block(squashed, 1).named("f"), o = block(squashed, 3).named("o");
    const Var g = tanh(block(a, 2)).named("g"), memory = tape.constant(before.c.value().copy());
    const Var admitted = i * g, c = (f * memory + admitted).named("c");
    const Var h = (o * tanh(c)).named("h");
    return {h, {h, c}};
  }
};

}  // namespace

Specimen compact_lstm() { return specimen(CompactLSTM()); }

}  // namespace unroll::zoo
