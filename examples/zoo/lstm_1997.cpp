#include <unroll/examples/zoo/cell.hpp>
#include <unroll/layers/lstm_1997.hpp>

// Long short-term memory as it was published in 1997, without a forget gate, in blocks of one cell. What the units do element by element is written by
// hand.
//
//   a = x W_x + y_(t-1) W_y + b         blocks cells, input gates, output gates
//   i = sigmoid(a_in),  o = sigmoid(a_out),  g = 4 sigmoid(a_cell) - 2
//   c_t = c_(t-1) + i * g
//   h_t = o * (2 sigmoid(c_t) - 1)
//   y_t = [h_t, i, o]
//
// Stands for: squashing functions with ranges of their own, which later became tanh.
namespace unroll::zoo {

namespace {

// a and c_(t-1) to y and c.
std::vector<Var> units(std::span<const Var> in) {
  const std::vector<Var> a = split(in[0], 1, 3);
  const Var g = (4 * sigmoid(a[0]) - 2).named("g"), i = sigmoid(a[1]).named("i"), o = sigmoid(a[2]).named("o");
  const Var c = (in[1] + i * g).named("c");
  const Var h = (o * (2 * sigmoid(c) - 1)).named("h");
  return {concat({h, i, o}, 1).named("y"), c};
}

std::vector<Var> units_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const std::vector<Var> y = split(out[0], 1, 3), dy = split(d[0], 1, 3);
  const Var i = y[1], o = y[2], dh = dy[0];
  const Var g = 4 * sigmoid(slice(in[0], 1, 0, i.shape()[1])) - 2, shown = 2 * sigmoid(out[1]) - 1;
  const Var through_h = dh * (o * (1 - square(shown))), dc = d[1] + through_h;
  const Var di = dy[1] + dc * g, d_o = dy[2] + dh * shown, dg = dc * i;
  const Var da_g = dg * ((4 - square(g)) / 4), da_i = di * (i * (1 - i)), da_o = d_o * (o * (1 - o));
  return {concat({da_g, da_i, da_o}, 1), dc};
}

class Published1997 : public Cell {
 public:
  using State = LSTM1997State;

  explicit Published1997(Sizes sizes = {}) : Cell("lstm", sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Var W = tape.use(W_x), U = tape.use(W_y), bias = tape.use(b);
    const std::vector<Var> after = custom_vjp(units, units_backward, {affine(x, W, before.y, U, bias), before.c});
    const Var h = slice(after[0], 1, 0, options.hidden);
    return {h, {after[0], after[1]}};
  }
  State zero_state(Tape& tape, std::int64_t batch) const {
    const Scope scope(tape, name());
    const Step step(tape, 0);
    const Var y = tape.constant(Array({batch, 3 * options.hidden}, DType::f64), "y");
    return {y, tape.constant(Array({batch, options.hidden}, DType::f64), "c")};
  }

  const Parameter W_x = weight("W_x", {options.input, 3 * options.hidden});
  const Parameter W_y = weight("W_y", {3 * options.hidden, 3 * options.hidden});
  const Parameter b = weight("b", {3 * options.hidden});
};

}  // namespace

Specimen lstm_1997() { return specimen(Published1997()); }

}  // namespace unroll::zoo
