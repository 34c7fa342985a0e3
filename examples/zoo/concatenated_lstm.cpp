#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory in the concatenated view: one weight for x and h side by side. A whole step is written by hand.
//
//   a = [x, h_(t-1)] W + b          W (input + hidden, 4 hidden), blocks i f g o
//   i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
//   g = tanh(a_g)
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// Stands for: the long backward functions of from-scratch LSTMs, which name each variable twice.
namespace unroll::zoo {

namespace {

// x, h, c, W, b to h, c and the activated gates side by side.
std::vector<Var> lstm_step(std::span<const Var> in) {
  const Var joined = concat({in[0], in[1]}, 1);
  const std::vector<Var> a = split(affine(joined, in[3], in[4]), 1, 4);
  const Var i = sigmoid(a[0]).named("i"), f = sigmoid(a[1]).named("f");
  const Var g = tanh(a[2]).named("g"), o = sigmoid(a[3]).named("o");
  const Var kept = f * in[2], admitted = i * g;
  const Var c = (kept + admitted).named("c"), h = (o * tanh(c)).named("h");
  return {h, c, concat({i, f, g, o}, 1)};
}

std::vector<Var> lstm_step_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const Var x = in[0], h_before = in[1], c_before = in[2], W = in[3];
  const Var c = out[1], activated = out[2];
  const std::vector<Var> gate = split(activated, 1, 4);
  const Var i = gate[0], f = gate[1], g = gate[2], o = gate[3];
  const Var dh = d[0];
  Var dc = d[1];

  const Var squashed = tanh(c);
  const Var d_o = dh * squashed, d_squashed = dh * o;
  dc = d_squashed * (1 - square(squashed));
  const Var d_activated = concat({dc * g, dc * c_before, dc * i, d_o}, 1);
  const Var slopes = concat({i * (1 - i), f * (1 - f), 1 - square(g), o * (1 - o)}, 1);
  const Var da = d_activated * slopes;

  const Var joined = concat({x, h_before}, 1), d_joined = matmul(da, transpose(W));
  const std::int64_t inputs = x.shape()[1];
  return {slice(d_joined, 1, 0, inputs), slice(d_joined, 1, inputs, joined.shape()[1]), dc * f,
          matmul(transpose(joined), da), sum(da, {0})};
}

class ConcatenatedLSTM : public MemoryCell {
 public:
  explicit ConcatenatedLSTM(Sizes sizes = {}) : MemoryCell("lstm", sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const std::vector<Var> inputs{x, before.h, before.c, tape.use(W), tape.use(b)};
    const std::vector<Var> after = custom_vjp(lstm_step, lstm_step_backward, inputs);
    return {after[0], {after[0], after[1]}};
  }

  const Parameter W = weight("W", {options.input + options.hidden, 4 * options.hidden});
  const Parameter b = weight("b", {4 * options.hidden});
};

}  // namespace

Specimen concatenated_lstm() { return specimen(ConcatenatedLSTM()); }

}  // namespace unroll::zoo
