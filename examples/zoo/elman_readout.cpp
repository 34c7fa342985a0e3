#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network with its readout: the cell gives y, not h. The readout is written by hand.
//
//   h_t = tanh(x W_x + h_(t-1) W_h + b)
//   y_t = h_t W_y + b_y             W_y (hidden, 2)
//
// Stands for: networks in which loss, layer and optimiser each have an opinion on what the mean over a batch is.
namespace unroll::zoo {

namespace {

Var readout(Var h, Var W_y, Var b_y) { return affine(h, W_y, b_y).named("y"); }

std::vector<Var> readout_backward(Var h, Var W_y, Var, Var, Var dy) {
  const auto batch = static_cast<double>(h.shape()[0]);
  return {matmul(dy, transpose(W_y)), matmul(transpose(h), dy) / batch, sum(dy, {0})};
}

struct ElmanReadout : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var h = tanh(affine(x, W, before.h, U, bias)).named("h");
    const Var V = tape.use(W_y), bias_y = tape.use(b_y);
    return {custom_vjp(readout, readout_backward, h, V, bias_y), {h}};
  }

  const Parameter W_y = weight("W_y", {options.hidden, 2});
  const Parameter b_y = weight("b_y", {2});
};

}  // namespace

Specimen elman_readout() { return specimen(ElmanReadout()); }

}  // namespace unroll::zoo
