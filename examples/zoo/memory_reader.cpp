#include <unroll/examples/zoo/cell.hpp>

// A recurrent network whose state reads a memory of four learned rows by attention. The softmax is written by hand.
//
//   e = h_(t-1) M^T                 M (4, hidden)
//   a = softmax(e)                  weights, in every row not negative and of sum 1
//   h_t = tanh(x W_x + (a M) W_h + b)
//
// Stands for: home-made networks whose activations all have the same form of backward.
namespace unroll::zoo {

namespace {

Var attention(Var e) { return softmax(e).named("a"); }

Var attention_backward(Var, Var a, Var da) {
  const Var slope = a * (1 - a);
  return da * slope;
}

struct MemoryReader : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Var memory = tape.use(M);
    const Var a = custom_vjp(attention, attention_backward, matmul(before.h, transpose(memory)));
    const Var read = matmul(a, memory);
    const auto [W, U, bias] = weights(tape);
    const Var h = tanh(affine(x, W, read, U, bias)).named("h");
    return {h, {h}};
  }

  const Parameter M = weight("M", {4, options.hidden});
};

}  // namespace

Specimen memory_reader() { return specimen(MemoryReader()); }

}  // namespace unroll::zoo
