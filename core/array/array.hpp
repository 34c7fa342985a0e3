#pragma once

#include <unroll/core/array/dtype.hpp>
#include <unroll/core/array/error.hpp>
#include <unroll/core/array/shape.hpp>

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xt {
template <class D> class xexpression;
}

namespace unroll {

class Array;

// What it takes to read an array that somebody else owns: element type, shape, first element, steps. Without strides
// the elements are contiguous in row-major order; with strides (in elements, one for each axis; 0 repeats) the view is a
// slice, a transpose or a broadcast of other memory. A view is valid as long as that memory: a value on a tape until the
// tape is cleared or destroyed.
struct ArrayView {
  DType dtype = DType::f32;               // of the elements
  Shape shape;                            // extents, outermost first
  const void* data = nullptr;             // the first element
  const std::int64_t* strides = nullptr;  // nullptr: contiguous

  // The number of axes.
  std::size_t rank() const { return shape.rank(); }
  // The number of elements.
  std::size_t size() const { return shape.size(); }
  // Whether the elements stand side by side in row-major order.
  bool contiguous() const { return strides == nullptr; }
  // The step from one element to the next along an axis, in elements, whether there are `strides` or not.
  std::int64_t stride(std::size_t axis) const;

  // The elements as numbers of type T. Throws DTypeError if T is another type, ShapeError if the view is not contiguous.
  template <class T> std::span<const T> span() const {
    require(dtype_v<T>);
    require_contiguous();
    return {static_cast<const T*>(data), size()};
  }

  // One element, converted to double. Throws ShapeError if the index has the wrong rank or is out of range.
  double at(std::span<const std::int64_t> index) const;
  double at(std::initializer_list<std::int64_t> index) const { return at(std::span(index.begin(), index.size())); }
  // One element by its position in row-major order.
  double flat(std::size_t position) const;
  // The only element of an array of size 1; throws ShapeError for any other size.
  double item() const;

  // A contiguous array of one's own with the same elements.
  Array copy() const;
  // The same, with the elements converted.
  Array as(DType dtype) const;

  // Throws DTypeError unless the elements have this type.
  void require(DType expected) const;
  // Throws ShapeError for a strided view.
  void require_contiguous() const;
};

// Numbers in row-major order with an element type known at run time. Copying an Array shares the memory (it is a handle,
// as in NumPy); copy() makes new memory.
class Array {
 public:
  Array() : view_{DType::f32, Shape{0}} {}  // no elements
  // Zeros.
  explicit Array(Shape shape, DType dtype = DType::f32);
  // Takes the elements in row-major order; their number must be shape.size().
  Array(Shape shape, std::span<const float> elements);
  Array(Shape shape, std::span<const double> elements);
  Array(Shape shape, std::initializer_list<double> elements, DType dtype = DType::f64);
  // Copies any xtensor expression of float or double. Defined in core/array/xtensor.hpp.
  template <class D>
  Array(const xt::xexpression<D>& expression);  // NOLINT(google-explicit-constructor): arrays go in as inputs

  // An array of rank 0.
  static Array scalar(double value, DType dtype = DType::f64) { return filled({}, value, dtype); }
  // The same number everywhere.
  static Array filled(Shape shape, double value, DType dtype = DType::f32);
  // Wraps memory that `owner` keeps alive, without a copy; `data` has shape.size() contiguous elements.
  static Array wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner);

  // Of the elements.
  DType dtype() const { return view_.dtype; }
  // Extents, outermost first.
  const Shape& shape() const { return view_.shape; }
  // The number of axes.
  std::size_t rank() const { return view_.rank(); }
  // The number of elements.
  std::size_t size() const { return view_.size(); }
  // The first element.
  const void* data() const { return view_.data; }
  void* data() { return const_cast<void*>(view_.data); }

  // The elements in row-major order. Throws DTypeError if T is another type.
  template <class T> std::span<const T> span() const { return view_.span<T>(); }
  template <class T> std::span<T> span() {
    view_.require(dtype_v<T>);
    return {static_cast<T*>(data()), size()};
  }

  // One element, as ArrayView::at().
  double at(std::initializer_list<std::int64_t> index) const { return view_.at(index); }
  // One element by its position in row-major order.
  double flat(std::size_t position) const { return view_.flat(position); }
  // Writes one element by its position in row-major order, converted to the dtype.
  void set_flat(std::size_t position, double value);
  // The only element; throws ShapeError for any other size than 1.
  double item() const { return view_.item(); }
  // The same elements in new memory.
  Array copy() const { return view_.copy(); }
  // The same, converted to another element type.
  Array as(DType dtype) const { return view_.as(dtype); }
  // The same elements under another shape of the same size (memory shared).
  Array reshaped(Shape shape) const;

  // As a view, valid as long as the memory.
  const ArrayView& view() const { return view_; }
  // Goes in wherever a view is read.
  operator const ArrayView&() const {
    return view_;
  }  // NOLINT(google-explicit-constructor): an Array is a view of itself

  // What keeps the memory alive; shared by all copies.
  const std::shared_ptr<void>& owner() const { return owner_; }

 private:
  ArrayView view_;
  std::shared_ptr<void> owner_;
};

// The elements in nested brackets, rounded to `digits` significant digits; long axes are shortened with dots.
std::string to_string(const ArrayView& array, int digits = 4);

}  // namespace unroll
