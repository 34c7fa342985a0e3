#include "exercise.hpp"

Var cell(Var x, Var h, const Weights& weights) {
  (void)x, (void)h, (void)weights;  // matmul(x, weights.W_xh) is a product; + and tanh() do the rest
  return hole("the cell: tanh(x W_xh + h W_hh + b)");
}

std::vector<Var> unrolled(const std::vector<Var>& xs, Var h_0, const Weights& weights) {
  (void)xs, (void)h_0, (void)weights;
  return hole("a loop over the inputs that hands the state of one step to the next");
}

std::vector<double> contributions(const ScalarRNN& rnn, const std::vector<double>& x) {
  const std::vector<double> h = states(rnn, x);
  std::vector<double> result(h.size(), 0.0);
  double dh = 1;  // dL/dh[T], because L = h[T]
  for (std::size_t t = h.size() - 1; t >= 1; --t) {
    // With a = x[t] * w_xh + h[t - 1] * w_hh + b and h[t] = tanh(a):
    //   dL/da, from dh;
    //   result[t]: what w_hh gets from its use at this step;
    //   dh of the step before, for the next turn of the loop.
    (void)dh;
    return hole("one step of the way back: da, result[t], and dh for step t - 1");
  }
  return result;
}

ScalarGradient gradient(const ScalarRNN& rnn, const std::vector<double>& x) {
  (void)rnn, (void)x;
  return hole("the gradients by w_xh, w_hh and b, each a sum over the steps");
}
