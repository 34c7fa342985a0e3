#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/random.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/core/tape/var.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

// The operations, one declaration a line; `all_ops()` in core/ops/define.hpp lists their definitions. Every operation records one node
// on the tape of its operands, unless its comment says that it is composed of others. Operands broadcast as in NumPy. Axes may
// count from the end (-1 is the last). Wrong shapes throw ShapeError, unequal dtypes DTypeError, foreign or dead Vars TapeError.
namespace unroll {

using Axes = std::vector<std::int64_t>;  // positions of axes; negative ones count from the end

// ---- arithmetic (core/ops/arithmetic.cpp)
Var add(Var a, Var b);            // a + b
Var sub(Var a, Var b);            // a - b
Var mul(Var a, Var b);            // a * b, element by element
Var div(Var a, Var b);            // a / b
Var neg(Var x);                   // -x
Var square(Var x);                // x * x
Var pow(Var x, double exponent);  // x to the power of a constant
Var sqrt(Var x);                  // the square root; derivative infinite at 0
Var abs(Var x);                   // the absolute value; derivative 0 at 0
Var sign(Var x);                  // -1, 0 or 1; derivative 0 everywhere

// The operations of arithmetic as operators. A number takes the dtype of the Var beside it.
inline Var operator+(Var a, Var b) { return add(a, b); }
inline Var operator-(Var a, Var b) { return sub(a, b); }
inline Var operator*(Var a, Var b) { return mul(a, b); }
inline Var operator/(Var a, Var b) { return div(a, b); }
inline Var operator-(Var x) { return neg(x); }
inline Var operator+(Var a, double b) { return add(a, a.tape().scalar(b, a.dtype())); }
inline Var operator-(Var a, double b) { return sub(a, a.tape().scalar(b, a.dtype())); }
inline Var operator*(Var a, double b) { return mul(a, a.tape().scalar(b, a.dtype())); }
inline Var operator/(Var a, double b) { return div(a, a.tape().scalar(b, a.dtype())); }
inline Var operator+(double a, Var b) { return add(b.tape().scalar(a, b.dtype()), b); }
inline Var operator-(double a, Var b) { return sub(b.tape().scalar(a, b.dtype()), b); }
inline Var operator*(double a, Var b) { return mul(b.tape().scalar(a, b.dtype()), b); }
inline Var operator/(double a, Var b) { return div(b.tape().scalar(a, b.dtype()), b); }

// ---- elementary functions (core/ops/elementary.cpp)
Var exp(Var x);    // e to the power of x
Var log(Var x);    // the natural logarithm
Var log1p(Var x);  // log(1 + x), exact for small x
Var expm1(Var x);  // exp(x) - 1, exact for small x
Var sin(Var x);    // of x in radians
Var cos(Var x);    // of x in radians
Var erf(Var x);    // the error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x

// ---- activations (core/ops/activations.cpp)
Var tanh(Var x);      // from -1 to 1; derivative 1 - tanh(x)^2
Var sigmoid(Var x);   // 1 / (1 + exp(-x))
Var relu(Var x);      // derivative 0 at 0
Var softplus(Var x);  // log(1 + exp x)

// ---- choice (core/ops/choice.cpp)
Var maximum(Var a, Var b);                 // the larger one; a tie gives half of the gradient to each side
Var minimum(Var a, Var b);                 // the smaller one; a tie gives half of the gradient to each side
Var where(Var condition, Var a, Var b);    // a where the condition is not 0, else b; the condition has gradient 0
Var clip(Var x, double low, double high);  // derivative 1 from low to high, both included, 0 outside

// ---- products (core/ops/products.cpp)
Var matmul(Var a, Var b);         // (..., m, k) x (..., k, n) -> (..., m, n)
Var affine(Var x, Var w, Var b);  // x W + b
Var affine(Var x, Var w, Var h, Var u,
           Var b);  // x W + h U + b as one node; x (B, M), W (M, N), h (B, K), U (K, N), b (N)

// ---- reductions (core/ops/reductions.cpp); without axes, over all of them
Var sum(Var x, const Axes& axes = {}, bool keepdims = false);        // the sum
Var mean(Var x, const Axes& axes = {}, bool keepdims = false);       // the sum divided by the number of elements
Var max(Var x, const Axes& axes = {}, bool keepdims = false);        // ties share the gradient evenly
Var logsumexp(Var x, const Axes& axes = {}, bool keepdims = false);  // log of the sum of exp(x), without overflow
Var sum_to(Var x,
           const Shape& shape);  // sums the axes along which `shape` would broadcast to x: the adjoint of broadcast_to

// ---- classification (core/ops/classification.cpp)
Var softmax(Var x, std::int64_t axis = -1);      // exp(x) / sum of exp(x) along the axis
Var log_softmax(Var x, std::int64_t axis = -1);  // its logarithm, without underflow
// The mean of -log softmax(logits)[target] over the rows: logits (..., classes), one target in 0 .. classes - 1 for each row. Rows with
// mask 0 do not count (a mask may hold weights); the mean over no rows is 0.
Var cross_entropy(Var logits, std::span<const std::int64_t> targets, std::span<const double> mask = {});

// ---- shape (core/ops/shapes.cpp): other views of the same elements, mostly without a copy
Var reshape(Var x, const Shape& shape);              // the same elements in row-major order; shape has as many
Var transpose(Var x, const Axes& permutation = {});  // without a permutation, the last two axes change places
Var broadcast_to(Var x, const Shape& shape);         // repeats along axes of extent 1, and new axes in front
Var slice(Var x, std::int64_t axis, std::int64_t start, std::int64_t stop);  // negative positions count from the end
Var select(Var x, std::int64_t axis, std::int64_t index);  // one position of an axis; the axis goes away
std::vector<Var> split(Var x, std::int64_t axis, std::span<const std::int64_t> sizes);  // composed of slices
std::vector<Var> split(Var x, std::int64_t axis, std::int64_t parts);                   // into equal slices

// ---- assembly (core/ops/assembly.cpp): new arrays from parts
Var pad(Var x, std::int64_t axis, std::int64_t before, std::int64_t after);  // zeros around: the adjoint of slice
Var concat(std::span<const Var> parts, std::int64_t axis);                   // one behind the other along an axis
Var stack(std::span<const Var> parts, std::int64_t axis = 0);                // along a new axis
// concat({a, b}, axis).
inline Var concat(std::initializer_list<Var> parts, std::int64_t axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}
// stack({a, b}, axis).
inline Var stack(std::initializer_list<Var> parts, std::int64_t axis = 0) {
  return stack(std::span(parts.begin(), parts.size()), axis);
}
// Positions `indices` of an axis, in that order, repeats allowed: rows of an embedding table with axis 0.
Var gather(Var x, std::span<const std::int64_t> indices, std::int64_t axis = 0);
// Zeros of extent `size` along the axis, to which slice k of x is added at indices[k]: the adjoint of gather.
Var scatter_add(Var x, std::span<const std::int64_t> indices, std::int64_t axis, std::int64_t size);

// ---- training (core/ops/training.cpp)
// Zeroes each element with probability `rate` and scales the others by 1 / (1 - rate); the mask, a constant on the tape, comes from
// the generator. Rate 0 gives x itself.
Var dropout(Var x, double rate, Generator& generator);
Var detach(Var x);  // the same elements, through which no gradient flows

}  // namespace unroll
