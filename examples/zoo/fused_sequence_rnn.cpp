#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network over a whole sequence in one call, as fast libraries have it: forward and backward are loops over time, written by hand.
//
//   h_t = tanh(x_t W_x + h_(t-1) W_h + b),  t = 1 .. T
//
// Stands for: fast libraries whose sequences always began with zeros, until somebody wanted to learn the first state, or to decode from it.
namespace unroll::zoo {

namespace {

Var run(Var xs, Var h, Var W_x, Var W_h, Var b) {
  std::vector<Var> states;
  for (std::int64_t t = 1; t <= xs.shape()[0]; ++t) {
    const Step step(xs.tape(), t);
    h = tanh(affine(select(xs, 0, t - 1), W_x, h, W_h, b)).named("h");
    states.push_back(h);
  }
  return stack(states);
}

std::vector<Var> run_backward(Var xs, Var h0, Var W_x, Var W_h, Var b, Var hs, Var d_hs) {
  const auto zeros = [&](const Var& like) { return xs.tape().constant(Array(like.shape(), DType::f64)); };
  Var dh = zeros(h0), dW_x = zeros(W_x), dW_h = zeros(W_h), db = zeros(b);
  std::vector<Var> dx(static_cast<std::size_t>(xs.shape()[0]));
  for (std::int64_t t = xs.shape()[0] - 1; t >= 0; --t) {
    const Var x = select(xs, 0, t), h = select(hs, 0, t);
    dh = dh + select(d_hs, 0, t);
    const Var da = dh * (1 - square(h));
    dx[static_cast<std::size_t>(t)] = matmul(da, transpose(W_x));
    dW_x = dW_x + matmul(transpose(x), da);
    dW_h = dW_h + matmul(transpose(t > 0 ? select(hs, 0, t - 1) : h0), da);
    db = db + sum(da, {0});
    dh = t > 0 ? matmul(da, transpose(W_h)) : zeros(h0);
  }
  return {stack(dx), dh, dW_x, dW_h, db};
}

struct FusedSequenceRNN : SimpleCell {
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    const Scope scope(before.h.tape(), name());
    const auto [W, U, bias] = weights(before.h.tape());
    return steps_of(custom_vjp(run, run_backward, stack(xs), before.h, W, U, bias));
  }
};

}  // namespace

Specimen fused_sequence_rnn() { return specimen(FusedSequenceRNN()); }

}  // namespace unroll::zoo
