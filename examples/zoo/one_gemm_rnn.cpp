#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network over a whole sequence. Its backward keeps the adjoints of all sums, so that the gradients of the weights are big products over
// all steps at once instead of many small ones. The recurrence is written by hand; the inputs have met their weight and bias before it begins.
//
//   u_t = x_t W_x + b
//   h_t = tanh(u_t + h_(t-1) W_h)
//
// Stands for: optimisations that were begun, and measured, and are faster.
namespace unroll::zoo {

namespace {

Var recur(Var us, Var h0, Var W_h) {
  std::vector<Var> h{h0};
  for (std::int64_t t = 1; t <= us.shape()[0]; ++t) {
    const Step step(us.tape(), t);
    const Var from_h = matmul(h.back(), W_h);
    h.push_back(tanh(select(us, 0, t - 1) + from_h).named("h"));
  }
  return stack(std::span(h).subspan(1));
}

std::vector<Var> recur_backward(Var us, Var h0, Var W_h, Var hs, Var d_hs) {
  const std::int64_t T = us.shape()[0], batch = h0.shape()[0], hidden = h0.shape()[1];
  const Var first = reshape(h0, {1, batch, hidden}), U_back = transpose(W_h);
  const Var befores = T > 1 ? concat({first, slice(hs, 0, 0, T - 1)}, 0) : first;
  std::vector<Var> d_us;  // the last step first
  Var dh, dW_h;
  for (std::int64_t t = T; t-- > 0;) {
    add_to(dh, select(d_hs, 0, t));
    const Var du = dh * (1 - square(select(hs, 0, t)));
    add_to(dW_h, matmul(transpose(select(befores, 0, t)), du));
    dh = matmul(du, U_back);
    d_us.insert(d_us.begin(), du);
  }
  const Var all = stack(d_us);
  const Shape rows{T * batch, hidden};
  const Var d = reshape(all, rows);
  add_to(dW_h, matmul(transpose(reshape(befores, rows)), d));
  return {all, dh, dW_h};
}

struct OneGemmRNN : SimpleCell {
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    const Scope scope(before.h.tape(), name());
    const auto [W, U, bias] = weights(before.h.tape());
    const Var us = matmul(stack(xs), W) + bias;
    return steps_of(custom_vjp(recur, recur_backward, us, before.h, U));
  }
};

}  // namespace

Specimen one_gemm_rnn() { return specimen(OneGemmRNN()); }

}  // namespace unroll::zoo
