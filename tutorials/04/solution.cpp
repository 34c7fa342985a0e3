#include "exercise.hpp"

#include <xtensor/xview.hpp>

#include <algorithm>
#include <vector>

using unroll::course::hole;

Shape common_shape(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> result(rank);
  for (std::size_t i = 1; i <= rank; ++i) {  // the i-th axis from the end
    const std::int64_t m = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t n = i <= b.rank() ? b[b.rank() - i] : 1;
    if (m != n && m != 1 && n != 1) throw unroll::ShapeError("these shapes do not fit");
    result[rank - i] = m == 1 ? n : m;
  }
  return Shape(result);
}

// A matrix product, for all three: (m, k) x (k, n) -> (m, n).
static Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result = xt::zeros<double>({a.shape(0), b.shape(1)});
  for (std::size_t i = 0; i < a.shape(0); ++i)
    for (std::size_t j = 0; j < b.shape(1); ++j)
      for (std::size_t k = 0; k < a.shape(1); ++k) result(i, j) += a(i, k) * b(k, j);
  return result;
}

Matrix affine_forward(const Matrix& x, const Matrix& W, const Matrix& b) { return product(x, W) + b; }

AffineGradients affine_backward(const Matrix& x, const Matrix& W, const Matrix& dy) {
  return {.dx = product(dy, xt::transpose(W)),  //
          .dW = product(xt::transpose(x), dy),
          .db = xt::sum(dy, {0})};
}

Matrix undo_broadcast(const Matrix& gradient, const Shape& from) {
  Matrix result = gradient;
  while (result.dimension() > from.rank()) result = Matrix(xt::sum(result, {0}));  // axes that were added in front
  for (std::size_t axis = 0; axis < from.rank(); ++axis)
    if (from[axis] == 1)
      result = Matrix(xt::sum(result, {axis}, xt::keep_dims));  // axes of extent 1 that were repeated
  return result;
}
