#pragma once

#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <cmath>
#include <vector>

// What exercise.cpp is to define.
using unroll::Var;
using unroll::course::hole;

// The weights of a cell as nodes of a tape: W_xh (input, hidden), W_hh (hidden, hidden), b (hidden).
struct Weights {
  Var W_xh, W_hh, b;
};

// 1. One step: x (batch, input) and the state before it, h (batch, hidden), give the state after it, tanh(x W_xh + h W_hh + b).
Var cell(Var x, Var h, const Weights& weights);

// 2. The states h_1 ... h_T: the cell at every step, from the initial state h_0 on. xs[0] is x_1.
std::vector<Var> unrolled(const std::vector<Var>& xs, Var h_0, const Weights& weights);

// The same network with one input and one unit: every weight is a number, and h_t = tanh(x_t w_xh + h_(t-1) w_hh + b).
struct ScalarRNN {
  double w_xh, w_hh, b;
};

// h[0] = 0, h[1], ..., h[T]. x[0] is not used, so that x[t] is the input of step t.
inline std::vector<double> states(const ScalarRNN& rnn, const std::vector<double>& x) {
  std::vector<double> h(x.size(), 0.0);
  for (std::size_t t = 1; t < x.size(); ++t) h[t] = std::tanh(x[t] * rnn.w_xh + h[t - 1] * rnn.w_hh + rnn.b);
  return h;
}

// 3. The loss is the last state, L = h[T]. What each step contributes to dL/dw_hh: result[t] for t = 1 ... T, and result[0] = 0.
std::vector<double> contributions(const ScalarRNN& rnn, const std::vector<double>& x);

// 4. The gradients of L = h[T] by all three weights.
struct ScalarGradient {
  double w_xh, w_hh, b;
};
ScalarGradient gradient(const ScalarRNN& rnn, const std::vector<double>& x);
