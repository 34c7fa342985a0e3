#pragma once

#include <unroll/unroll.hpp>

#include "../course.hpp"

using unroll::Shape;
using Matrix = xt::xarray<double>;

// The shape of a + b, where a has shape `a` and b has shape `b`. Throws unroll::ShapeError if they do not fit.
Shape common_shape(const Shape& a, const Shape& b);

// x W + b in xtensor: x (batch, input), W (input, output), b (output).
Matrix affine_forward(const Matrix& x, const Matrix& W, const Matrix& b);

// The gradients of a loss L by what goes into y = x W + b, given dy = dL/dy of shape (batch, output).
struct AffineGradients {
  Matrix dx, dW, db;
};
AffineGradients affine_backward(const Matrix& x, const Matrix& W, const Matrix& dy);

// The adjoint of broadcasting: an array of shape `from` was broadcast, and `gradient` is dL by the result. Gives dL by the array.
Matrix undo_broadcast(const Matrix& gradient, const Shape& from);
