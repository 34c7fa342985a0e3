#include <unroll/core/array/array.hpp>

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::align_val_t alignment{64};  // one cache line, and the widest vector register

std::shared_ptr<void> allocate(std::size_t bytes) {
  void* memory = ::operator new(std::max<std::size_t>(bytes, 1), alignment);
  return {memory, [](void* p) { ::operator delete(p, alignment); }};
}

double element(const ArrayView& view, std::int64_t offset) {
  return view.dtype == DType::f32 ? static_cast<const float*>(view.data)[offset]
                                  : static_cast<const double*>(view.data)[offset];
}

// The offset in elements of a position in row-major order.
std::int64_t offset_of(const ArrayView& view, std::size_t position) {
  if (view.contiguous()) return static_cast<std::int64_t>(position);
  std::int64_t offset = 0;
  for (std::size_t axis = view.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(view.shape[axis]);
    offset += static_cast<std::int64_t>(position % extent) * view.strides[axis];
    position /= extent;
  }
  return offset;
}

template <class T> Array from_elements(Shape shape, std::span<const T> elements) {
  if (shape.size() != elements.size())
    throw ShapeError(fmt::format("an array of shape {} has {} elements, but {} were given", to_string(shape),
                                 shape.size(), elements.size()));
  Array array(std::move(shape), dtype_v<T>);
  std::copy(elements.begin(), elements.end(), array.span<T>().begin());
  return array;
}

void print(std::string& out, const ArrayView& array, std::size_t axis, std::size_t position, int digits) {
  if (axis == array.rank()) {
    out += fmt::format("{:.{}g}", array.flat(position), digits);
    return;
  }
  std::size_t step = 1;
  for (std::size_t inner = axis + 1; inner < array.rank(); ++inner)
    step *= static_cast<std::size_t>(array.shape[inner]);
  const std::int64_t extent = array.shape[axis], edge = 4;
  out += '[';
  for (std::int64_t i = 0; i < extent; ++i) {
    if (i > 0) out += ", ";
    if (extent > 3 * edge && i == edge) {
      out += "...";
      i = extent - edge - 1;
      continue;
    }
    print(out, array, axis + 1, position + static_cast<std::size_t>(i) * step, digits);
  }
  out += ']';
}

}  // namespace

std::int64_t ArrayView::stride(std::size_t axis) const {
  if (strides) return strides[axis];
  std::int64_t step = 1;
  for (std::size_t inner = axis + 1; inner < rank(); ++inner) step *= shape[inner];
  return step;
}

double ArrayView::at(std::span<const std::int64_t> index) const {
  if (index.size() != rank())
    throw ShapeError(fmt::format("an index of {} numbers into an array of shape {}", index.size(), to_string(shape)));
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < rank(); ++axis) {
    if (index[axis] < 0 || index[axis] >= shape[axis])
      throw ShapeError(fmt::format("index {} on axis {} of an array of shape {}", index[axis], axis, to_string(shape)));
    offset += index[axis] * stride(axis);
  }
  return element(*this, offset);
}

double ArrayView::flat(std::size_t position) const {
  if (position >= size())
    throw ShapeError(
        fmt::format("element {} of an array of shape {}, which has {}", position, to_string(shape), size()));
  return element(*this, offset_of(*this, position));
}

double ArrayView::item() const {
  if (size() != 1)
    throw ShapeError(fmt::format("item() needs an array of one element, not of shape {}", to_string(shape)));
  return element(*this, 0);
}

Array ArrayView::copy() const {
  Array result(shape, dtype);
  const std::size_t n = size();
  if (contiguous()) {
    if (n > 0) std::memcpy(result.data(), data, n * size_of(dtype));
  } else {
    for (std::size_t i = 0; i < n; ++i) result.set_flat(i, element(*this, offset_of(*this, i)));
  }
  return result;
}

Array ArrayView::as(DType target) const {
  Array result(shape, target);
  for (std::size_t i = 0, n = size(); i < n; ++i) result.set_flat(i, element(*this, offset_of(*this, i)));
  return result;
}

void ArrayView::require(DType expected) const {
  if (dtype != expected)
    throw DTypeError(fmt::format("the array holds {}, but {} was asked for", to_string(dtype), to_string(expected)));
}

void ArrayView::require_contiguous() const {
  if (!contiguous())
    throw ShapeError(
        fmt::format("a strided view of shape {} has no contiguous elements: use copy()", to_string(shape)));
}

Array::Array(Shape shape, DType dtype) : view_{dtype, std::move(shape)} {
  const std::size_t bytes = view_.size() * size_of(dtype);
  owner_ = allocate(bytes);
  std::memset(owner_.get(), 0, bytes);
  view_.data = owner_.get();
}

Array::Array(Shape shape, std::span<const float> elements) : Array(from_elements(std::move(shape), elements)) {}
Array::Array(Shape shape, std::span<const double> elements) : Array(from_elements(std::move(shape), elements)) {}
Array::Array(Shape shape, std::initializer_list<double> elements, DType dtype)
    : Array(from_elements(std::move(shape), std::span(elements.begin(), elements.size())).as(dtype)) {}

Array Array::filled(Shape shape, double value, DType dtype) {
  Array array(std::move(shape), dtype);
  for (std::size_t i = 0, n = array.size(); i < n; ++i) array.set_flat(i, value);
  return array;
}

Array Array::wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner) {
  Array array;
  array.view_ = ArrayView{dtype, std::move(shape), data};
  array.owner_ = std::move(owner);
  return array;
}

void Array::set_flat(std::size_t position, double value) {
  if (position >= size())
    throw ShapeError(
        fmt::format("element {} of an array of shape {}, which has {}", position, to_string(shape()), size()));
  if (dtype() == DType::f32)
    static_cast<float*>(data())[position] = static_cast<float>(value);
  else
    static_cast<double*>(data())[position] = value;
}

Array Array::reshaped(Shape shape) const {
  if (shape.size() != size())
    throw ShapeError(fmt::format("{} cannot be reshaped to {}: {} elements against {}", to_string(this->shape()),
                                 to_string(shape), size(), shape.size()));
  Array array = *this;
  array.view_.shape = std::move(shape);
  return array;
}

std::string to_string(const ArrayView& array, int digits) {
  std::string out;
  if (array.size() == 0) return fmt::format("[] {}", to_string(array.shape));
  print(out, array, 0, 0, digits);
  return out;
}

}  // namespace unroll
