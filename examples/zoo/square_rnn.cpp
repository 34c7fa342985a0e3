#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network with as many inputs as hidden units, as the second layer of a stack has; the product with x is written by hand.
//
//   h_t = tanh(x W_x + h_(t-1) W_h + b)
//
// Stands for: code that was tried with equal sizes only, and shapes as the only guard.
namespace unroll::zoo {

namespace {

Var from_input(Var x, Var W_x, Var b) { return affine(x, W_x, b); }

std::vector<Var> from_input_backward(Var x, Var W_x, Var, Var, Var d) {
  const Var dx = matmul(d, transpose(W_x));
  const Var dW_x = matmul(transpose(d), x);
  const Var db = sum(d, {0});
  return {dx, dW_x, db};
}

struct SquareRNN : SimpleCell {
  explicit SquareRNN(Sizes sizes = {.input = 3, .hidden = 3}) : SimpleCell(sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const Var a_x = custom_vjp(from_input, from_input_backward, x, W, bias);
    const Var a_h = matmul(before.h, U);
    const Var h = tanh(a_x + a_h).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen square_rnn() { return specimen(SquareRNN()); }

}  // namespace unroll::zoo
