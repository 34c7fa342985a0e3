#pragma once

#include <unroll/core/array/array.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

// Walking several arrays at once, in the order of one common shape.
namespace unroll::kernels {

// The most arrays that one loop walks: three inputs, the output, its adjoint, and the result.
inline constexpr std::size_t max_operands = 6;

// Elements are handed to the pointwise kernels in contiguous pieces of at most this many, which stay in the first-level cache.
inline constexpr std::size_t tile = 512;

// One array seen through a common shape. Its extents are those of the shape, or 1 (or missing in front) where it repeats.
struct Operand {
  std::byte* data = nullptr;
  const Shape* shape = nullptr;
  const std::int64_t* strides = nullptr;  // in elements; nullptr is row-major contiguous

  Operand() = default;
  Operand(const ArrayView& view)  // NOLINT(google-explicit-constructor)
      : data(static_cast<std::byte*>(const_cast<void*>(view.data))), shape(&view.shape), strides(view.strides) {}
  Operand(void* first, const Shape& extents) : data(static_cast<std::byte*>(first)), shape(&extents) {}
};

// A nest of loops over a common shape, with axes joined where every operand allows it; axis 0 here is the innermost.
struct Nest {
  Nest(const Shape& common, std::span<const Operand> operands);

  std::size_t axes = 0;
  std::size_t operands = 0;
  std::array<std::int64_t, Shape::max_rank> extent;
  std::array<std::array<std::int64_t, Shape::max_rank>, max_operands> stride;  // [operand][axis], in elements

  std::size_t outer_size() const;

  // Calls row(offsets) once for every position of the outer axes; offsets[i] counts elements of operand i, and the innermost
  // axis is the row's to walk.
  template <class Row> void for_each_row(Row&& row) const;
};

template <class Row> void Nest::for_each_row(Row&& row) const {
  std::array<std::int64_t, max_operands> offset{};
  std::array<std::int64_t, Shape::max_rank> index{};
  for (std::size_t left = outer_size(); left > 0; --left) {
    row(offset);
    for (std::size_t axis = 1; axis < axes; ++axis) {
      for (std::size_t i = 0; i < operands; ++i) offset[i] += stride[i][axis];
      if (++index[axis] < extent[axis]) break;
      for (std::size_t i = 0; i < operands; ++i) offset[i] -= stride[i][axis] * extent[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace unroll::kernels
