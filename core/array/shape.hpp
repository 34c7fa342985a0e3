#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// The extents of an array, outermost first; rank 0 is a scalar. Up to four extents are stored in place, because a tape
// holds one Shape a node.
class Shape {
 public:
  static constexpr std::size_t max_rank = 32;  // as in NumPy

  Shape() = default;
  // From the extents: Shape{2, 3}. Throws ShapeError for a negative extent, a rank above max_rank, or more elements than memory has addresses.
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents);
  Shape(const Shape& other) : rank_(other.rank_), inline_{} { copy(other); }
  Shape(Shape&& other) noexcept;
  Shape& operator=(const Shape& other);
  Shape& operator=(Shape&& other) noexcept;
  ~Shape() {
    if (rank_ > inline_rank) delete[] heap_;
  }

  // The number of axes.
  std::size_t rank() const { return rank_; }
  // The extent of one axis, which must be below rank().
  std::int64_t operator[](std::size_t axis) const { return begin()[axis]; }
  // The extents, one after the other:
  const std::int64_t* begin() const { return rank_ > inline_rank ? heap_ : inline_; }
  const std::int64_t* end() const { return begin() + rank_; }
  // The extents, valid as long as the shape.
  std::span<const std::int64_t> extents() const { return {begin(), rank_}; }
  // A copy of the extents.
  std::vector<std::int64_t> vector() const { return {begin(), end()}; }

  // The same shape with another extent on one axis. Throws ShapeError as the constructor does.
  Shape with(std::size_t axis, std::int64_t extent) const;

  // The number of elements: the product of the extents, 1 for a scalar.
  std::size_t size() const {
    std::size_t n = 1;
    for (std::int64_t extent : *this) n *= static_cast<std::size_t>(extent);
    return n;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    const std::int64_t *x = a.begin(), *y = b.begin();
    for (std::size_t i = 0; i < a.rank_; ++i)
      if (x[i] != y[i]) return false;
    return true;
  }

 private:
  static constexpr std::size_t inline_rank = 4;

  void copy(const Shape& other) {
    if (rank_ > inline_rank) return copy_to_heap(other);
    for (std::size_t i = 0; i < inline_rank; ++i) inline_[i] = other.inline_[i];
  }
  void copy_to_heap(const Shape& other);

  std::size_t rank_ = 0;
  union {
    std::int64_t inline_[inline_rank] = {};
    std::int64_t* heap_;
  };
};

// "(2, 3)"; a scalar is "()" and one axis is "(4)".
std::string to_string(const Shape& shape);

// Steps in elements of a row-major array of this shape.
std::vector<std::int64_t> row_major_strides(const Shape& shape);

// The index of the element at a position in row-major order: 4 is {1, 1} in shape (2, 3).
std::vector<std::int64_t> index_of(const Shape& shape, std::size_t position);
// The position of the element at an index: {1, 1} is 4 in shape (2, 3).
std::size_t position_of(const Shape& shape, const std::vector<std::int64_t>& index);

// NumPy broadcasting: shapes are aligned at their last axis, extents must be equal or 1. Throws ShapeError with the reason.
Shape broadcast(const Shape& a, const Shape& b);
// Whether an array of the one shape can be read as one of the other, by repeating along axes of extent 1.
bool broadcasts_to(const Shape& from, const Shape& to);

// Turns an axis that may count from the end (-1 is the last) into 0 .. rank - 1; throws ShapeError with the reason.
std::size_t normalize_axis(std::int64_t axis, std::size_t rank);

}  // namespace unroll
