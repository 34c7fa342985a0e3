#include "exercise.hpp"

#include <algorithm>
#include <cmath>

using namespace unroll;

// ---- 1. differences

double numeric_derivative(const std::function<double(double)>& f, double x) {
  // Which step? Too large, and the curve of f is no line; too small, and f(x + h) - f(x - h) has no digits left.
  const double h = 6e-6 * std::max(1.0, std::abs(x));  // about the cube root of the rounding error
  return (f(x + h) - f(x - h)) / (2 * h);
}

double relative_error(double analytic, double numeric) {
  const double larger = std::max(std::abs(analytic), std::abs(numeric));
  return larger == 0 ? 0 : std::abs(analytic - numeric) / larger;
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
  const Var da_n = dh * (1 - k) * (1 - square(n));
  const Var da_k = dh * (before - n) * k * (1 - k);

  // ... then the three places in which the state before the step is read. How many terms has its adjoint?
  const Var through_n = matmul(da_n, transpose(U_n)), through_k = matmul(da_k, transpose(U_k));
  const Var dbefore = dh * k + through_n + through_k;
  const Var dx_n = matmul(da_n, transpose(W_n)), dx_k = matmul(da_k, transpose(W_k));

  // ... and the weights: as in dW = x^T da, summed over the batch.
  return {dx_n + dx_k,
          dbefore,
          matmul(transpose(x), da_n),
          matmul(transpose(before), da_n),
          sum(da_n, {0}),
          matmul(transpose(x), da_k),
          matmul(transpose(before), da_k),
          sum(da_k, {0})};
}
