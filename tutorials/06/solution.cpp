#include "exercise.hpp"

Var cell(Var x, Var h, const Weights& weights) {
  const Var from_x = matmul(x, weights.W_xh);
  const Var from_h = matmul(h, weights.W_hh);
  return tanh(from_x + from_h + weights.b);
}

std::vector<Var> unrolled(const std::vector<Var>& xs, Var h_0, const Weights& weights) {
  std::vector<Var> hs;
  Var h = h_0;
  for (const Var& x : xs) {
    h = cell(x, h, weights);
    hs.push_back(h);
  }
  return hs;
}

std::vector<double> contributions(const ScalarRNN& rnn, const std::vector<double>& x) {
  const std::vector<double> h = states(rnn, x);
  std::vector<double> result(h.size(), 0.0);
  double dh = 1;  // dL/dh[T], because L = h[T]
  for (std::size_t t = h.size() - 1; t >= 1; --t) {
    const double da = dh * (1 - h[t] * h[t]);
    result[t] = da * h[t - 1];
    dh = da * rnn.w_hh;
  }
  return result;
}

ScalarGradient gradient(const ScalarRNN& rnn, const std::vector<double>& x) {
  const std::vector<double> h = states(rnn, x);
  ScalarGradient sum{0, 0, 0};
  double dh = 1;
  for (std::size_t t = h.size() - 1; t >= 1; --t) {
    const double da = dh * (1 - h[t] * h[t]);
    sum.w_xh += da * x[t];
    sum.w_hh += da * h[t - 1];
    sum.b += da;
    dh = da * rnn.w_hh;
  }
  return sum;
}
