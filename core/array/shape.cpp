#include <unroll/core/array/shape.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

Shape::Shape(std::span<const std::int64_t> extents) : rank_(extents.size()), inline_{} {
  if (rank_ > max_rank) {
    rank_ = 0;
    throw ShapeError(fmt::format("an array of rank {}: at most {} axes", extents.size(), max_rank));
  }
  for (std::int64_t extent : extents)
    if (extent < 0) {
      rank_ = 0;
      throw ShapeError(fmt::format("extent {} in ({}): extents are at least 0", extent, fmt::join(extents, ", ")));
    }
  std::int64_t size = sizeof(double);  // in bytes, of the larger element type
  bool fits = true;
  for (std::int64_t extent : extents) fits &= !__builtin_mul_overflow(size, extent == 0 ? 1 : extent, &size);
  if (!fits) {
    rank_ = 0;
    throw ShapeError(fmt::format("({}) has more elements than memory has addresses", fmt::join(extents, ", ")));
  }
  if (rank_ > inline_rank) heap_ = new std::int64_t[rank_];
  std::copy(extents.begin(), extents.end(), rank_ > inline_rank ? heap_ : inline_);
}

Shape::Shape(Shape&& other) noexcept : rank_(other.rank_), inline_{} {
  if (rank_ > inline_rank) {
    heap_ = std::exchange(other.heap_, nullptr);
    other.rank_ = 0;
  } else {
    std::copy(other.inline_, other.inline_ + inline_rank, inline_);
  }
}

Shape Shape::with(std::size_t axis, std::int64_t extent) const {
  if (extent == (*this)[axis]) return *this;
  std::array<std::int64_t, max_rank> extents;
  std::copy(begin(), end(), extents.begin());
  extents[axis] = extent;
  return Shape(std::span(extents.data(), rank_));
}

Shape& Shape::operator=(const Shape& other) {
  if (this == &other) return *this;
  if (rank_ > inline_rank) delete[] heap_;
  rank_ = other.rank_;
  copy(other);
  return *this;
}

Shape& Shape::operator=(Shape&& other) noexcept {
  if (this == &other) return *this;
  if (rank_ > inline_rank) delete[] heap_;
  rank_ = other.rank_;
  if (rank_ > inline_rank) {
    heap_ = std::exchange(other.heap_, nullptr);
    other.rank_ = 0;
  } else {
    std::copy(other.inline_, other.inline_ + inline_rank, inline_);
  }
  return *this;
}

void Shape::copy_to_heap(const Shape& other) {
  heap_ = new std::int64_t[rank_];
  std::copy(other.heap_, other.heap_ + rank_, heap_);
}

std::string to_string(const Shape& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.rank());
  std::int64_t step = 1;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

std::vector<std::int64_t> index_of(const Shape& shape, std::size_t position) {
  std::vector<std::int64_t> index(shape.rank());
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    index[axis] = static_cast<std::int64_t>(position % extent);
    position /= extent;
  }
  return index;
}

std::size_t position_of(const Shape& shape, const std::vector<std::int64_t>& index) {
  std::size_t position = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis)
    position = position * static_cast<std::size_t>(shape[axis]) + static_cast<std::size_t>(index[axis]);
  return position;
}

Shape broadcast(const Shape& a, const Shape& b) {
  if (a == b) return a;
  std::vector<std::int64_t> extents(std::max(a.rank(), b.rank()));
  for (std::size_t i = 1; i <= extents.size(); ++i) {
    std::int64_t x = i <= a.rank() ? a[a.rank() - i] : 1;
    std::int64_t y = i <= b.rank() ? b[b.rank() - i] : 1;
    if (x != y && x != 1 && y != 1)
      throw ShapeError(
          fmt::format("axis -{} has extents {} and {}, which do not broadcast (equal, or one of them 1)", i, x, y));
    extents[extents.size() - i] = x == 1 ? y : x;
  }
  return Shape(extents);
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (std::size_t i = 1; i <= from.rank(); ++i) {
    std::int64_t x = from[from.rank() - i];
    if (x != 1 && x != to[to.rank() - i]) return false;
  }
  return true;
}

std::size_t normalize_axis(std::int64_t axis, std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  if (rank == 0) throw ShapeError(fmt::format("axis {} does not exist: a scalar has no axes", axis));
  if (axis < -n || axis >= n)
    throw ShapeError(
        fmt::format("axis {} does not exist: an array of rank {} has axes {} to {}", axis, rank, -n, n - 1));
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

}  // namespace unroll
