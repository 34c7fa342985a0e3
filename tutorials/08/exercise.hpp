#pragma once

#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <cmath>
#include <complex>
#include <stdexcept>
#include <vector>

// What exercise.cpp is to define. Rows are vectors, as in the whole course: h_t = x_t W_in + h_(t-1) W.
using unroll::course::hole;
using Matrix = xt::xarray<double>;  // W(i, j); W.shape(0) rows
using Row = xt::xarray<double>;     // h(i)

// 1. In a linear RNN h_T is a sum of what the inputs left: h_T = x_1 D + (what x_2, x_3, ... left). Gives D, (input, hidden): what x_1 is multiplied with
// until step T.
Matrix reach(const Matrix& W_in, const Matrix& W, int T);

// 2. The same for h_t = tanh(x_t W_in + h_(t-1) W): now D is the derivative, and a small change dx of x_1 changes h_T by dx D. h[1] ... h[T] are the
// states; h[0] is the initial one.
Matrix reach_through_tanh(const Matrix& W_in, const Matrix& W, const std::vector<Row>& h);

// 3. Scales all gradients together so that the norm of all their elements is `limit`, if it is above it. Gives the norm as it was before.
double clip_by_global_norm(std::vector<xt::xarray<double>>& gradients, double limit);

// 4. What becomes of dh_T/dh_0 of a linear RNN with two units as T grows.
enum class Fate { vanishes, stays, explodes };
Fate fate(const Matrix& W);

// ---- given

// The matrix product a b.
inline Matrix product(const Matrix& a, const Matrix& b) {
  if (a.shape(1) != b.shape(0)) throw std::invalid_argument("product(a, b): a has not as many columns as b has rows");
  Matrix c = xt::zeros<double>({a.shape(0), b.shape(1)});
  for (std::size_t i = 0; i < a.shape(0); ++i)
    for (std::size_t j = 0; j < b.shape(1); ++j)
      for (std::size_t k = 0; k < b.shape(0); ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}
