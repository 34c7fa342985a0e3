#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network in the concatenated view: x and h stand side by side and meet one weight. The linear part is written by hand.
//
//   a = [x, h_(t-1)] W + b          W (input + hidden, hidden)
//   h_t = tanh(a)
//
// Stands for: networks written for one sequence at a time, to which a batch was added later.
namespace unroll::zoo {

namespace {

Var sums(Var x, Var h, Var W, Var b) {
  const Var joined = concat({x, h}, 1);
  return affine(joined, W, b);
}

std::vector<Var> sums_backward(Var x, Var h, Var W, Var b, Var, Var da) {
  const std::int64_t inputs = x.shape()[1], rows = W.shape()[0];
  const Var joined = concat({x, h}, 1);
  const Var d_joined = matmul(da, transpose(W));
  const Var dW = matmul(transpose(joined), da);
  const Var db = reshape(slice(da, 0, 0, 1), b.shape());
  return {slice(d_joined, 1, 0, inputs), slice(d_joined, 1, inputs, rows), dW, db};
}

class ConcatenatedRNN : public HiddenCell {
 public:
  explicit ConcatenatedRNN(Sizes sizes = {}) : HiddenCell("rnn", sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const Var weights = tape.use(W), bias = tape.use(b);
    const Var h = tanh(custom_vjp(sums, sums_backward, x, before.h, weights, bias)).named("h");
    return {h, {h}};
  }

  const Parameter W = weight("W", {options.input + options.hidden, options.hidden});
  const Parameter b = weight("b", {options.hidden});
};

}  // namespace

Specimen concatenated_rnn() { return specimen(ConcatenatedRNN()); }

}  // namespace unroll::zoo
