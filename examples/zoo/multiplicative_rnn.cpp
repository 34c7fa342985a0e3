#include <unroll/examples/zoo/cell.hpp>

// A multiplicative recurrent network (Sutskever, Martens and Hinton 2011): x and h meet in a product before the state sees them. That product
// is written by hand.
//
//   m = (x W_m) * (h_(t-1) U_m)     element by element
//   h_t = tanh(x W_x + m W_h + b)
//
// Stands for: derivatives of products, written by copying the line above.
namespace unroll::zoo {

namespace {

Var meeting(Var x, Var h, Var W_m, Var U_m) {
  const Var from_x = matmul(x, W_m), from_h = matmul(h, U_m);
  return (from_x * from_h).named("m");
}

std::vector<Var> meeting_backward(Var x, Var h, Var W_m, Var U_m, Var, Var dm) {
  const Var from_h = matmul(h, U_m);
  const Var d_from_x = dm * from_h;
  const Var d_from_h = dm * from_h;
  return {matmul(d_from_x, transpose(W_m)), matmul(d_from_h, transpose(U_m)), matmul(transpose(x), d_from_x),
          matmul(transpose(h), d_from_h)};
}

struct MultiplicativeRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Var V = tape.use(W_m), R = tape.use(U_m);
    const Var m = custom_vjp(meeting, meeting_backward, x, before.h, V, R);
    const auto [W, U, bias] = weights(tape);
    const Var h = tanh(affine(x, W, m, U, bias)).named("h");
    return {h, {h}};
  }

  const Parameter W_m = weight("W_m", {options.input, options.hidden});
  const Parameter U_m = weight("U_m", {options.hidden, options.hidden});
};

}  // namespace

Specimen multiplicative_rnn() { return specimen(MultiplicativeRNN()); }

}  // namespace unroll::zoo
