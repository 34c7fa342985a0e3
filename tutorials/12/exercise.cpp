#include "exercise.hpp"

#include <algorithm>
#include <cmath>

using namespace unroll;
using course::hole;

// ---- 1. differences

double numeric_derivative(const std::function<double(double)>& f, double x) {
  // Which step? Too large, and the curve of f is no line; too small, and f(x + h) - f(x - h) has no digits left.
  return hole("a central difference, with a step that fits the size of x");
}

double relative_error(double analytic, double numeric) {
  return hole("|a - n| over the larger of |a| and |n|, and 0 where both are 0");
}

// ---- 2. a backward pass by hand

std::vector<Var> gated_step(std::span<const Var> in) {
  const Var x = in[0], before = in[1], W_n = in[2], U_n = in[3], b_n = in[4], W_k = in[5], U_k = in[6], b_k = in[7];
  const Var k = sigmoid(affine(x, W_k, before, U_k, b_k)).named("k");
  const Var n = tanh(affine(x, W_n, before, U_n, b_n)).named("n");
  const Var kept = k * before, admitted = (1 - k) * n;
  return {(kept + admitted).named("h"), n, k};
}

std::vector<Var> gated_step_backward(std::span<const Var> in, std::span<const Var> out, Var dh) {
  const Var x = in[0], before = in[1], W_n = in[2], U_n = in[3], W_k = in[5], U_k = in[6];
  const Var n = out[1], k = out[2];

  // First the adjoints of what goes into tanh and into the sigmoid ...
  const Var da_n = hole("the adjoint of the argument of tanh");
  const Var da_k = hole("the adjoint of the argument of the sigmoid");

  // ... then the three places in which the state before the step is read. How many terms has its adjoint?
  const Var dbefore = hole("the adjoint of h_(t-1)");

  // ... and the weights: as in dW = x^T da, summed over the batch.
  return hole("the eight adjoints, in the order of `in`");
}
