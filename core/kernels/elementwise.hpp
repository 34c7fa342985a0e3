#pragma once

#include <unroll/core/array/array.hpp>

#include <span>

// Running the block functions of pointwise operations over arrays of any strides, with broadcasting.
namespace unroll::kernels {

// out[i] = f(in[0][i], in[1][i], ...) for n contiguous elements; `parameters` are the operation's constants.
using ForwardBlock = void (*)(const void* const* in, void* out, std::size_t n, const double* parameters);

// out[i] = g[i] * df/dx(in[0][i], ..., y[i]), or out[i] += the same, for n contiguous elements.
using DerivativeBlock = void (*)(const void* g, const void* const* in, const void* y, void* out, std::size_t n,
                                 const double* parameters, bool accumulate);

// out = f(inputs), row-major of the given shape, to which every input broadcasts.
void forward(ForwardBlock f, std::span<const ArrayView* const> inputs, const Shape& shape, DType dtype, void* out,
             const double* parameters);

// out (+)= g * derivative(inputs, y), all seen through `shape`, in which g, y and out are row-major.
void derivative(DerivativeBlock f, const void* g, std::span<const ArrayView* const> inputs, const ArrayView& y,
                const Shape& shape, DType dtype, void* out, const double* parameters, bool accumulate);

// out = from, or out += from; `from` broadcasts to the shape of out, which is row-major.
void copy(const ArrayView& from, const Shape& shape, void* out, bool accumulate);

// A part of a larger row-major array: target (+)= from, where target has its own strides. Shapes are equal.
void copy_into(const ArrayView& from, void* target, const std::int64_t* strides, bool accumulate);

void fill(void* out, std::size_t n, DType dtype, double value);
void scale(void* out, std::size_t n, DType dtype, double factor);

}  // namespace unroll::kernels
