#pragma once

// The one bridge between this library and xtensor, both ways, without a copy where memory can be shared. Include it (or
// <unroll/unroll.hpp>) before any other xtensor header: it also cures a fault of xtensor up to 0.25.
//
// The fault (xtensor issues 1970 and 2701): xexpression_traits.hpp decides with `__cplusplus == 201703L` whether a template
// template parameter may match a template with default arguments. In C++20, g++ then takes svector<T, 4> for a fixed shape of
// rank 4, so that the temporary type of an xarray expression becomes a tensor of rank 4: wrong results and crashes. The more
// specialised match below names the dynamic shape in full. xtensor 0.26 has its own cure and moved its headers.

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xexpression_traits.hpp>
#if defined(__GNUC__) && !defined(__clang__) && __cplusplus > 201703L
namespace xt::detail {
template <template <class, std::size_t, class, bool> class S, class X, std::size_t N, class A, bool I>
struct xtype_for_shape<S<X, N, A, I>> {
  template <class T, layout_type L> using type = xarray<T, L>;
};
}  // namespace xt::detail
#endif
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <unroll/core/array/array.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace unroll {

// Array from any xtensor expression whose elements are float or double: evaluated once, straight into the new array.
template <class D> Array::Array(const xt::xexpression<D>& expression) : Array(Shape{0}) {
  const D& e = expression.derived_cast();
  using T = std::remove_cv_t<typename D::value_type>;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "unroll arrays hold float or double: cast with xt::cast<float>(...)");
  std::vector<std::int64_t> extents(e.shape().begin(), e.shape().end());
  *this = Array(Shape(extents), dtype_v<T>);
  std::copy(e.template begin<xt::layout_type::row_major>(), e.template end<xt::layout_type::row_major>(),
            span<T>().begin());
}

namespace detail {

template <class EC, xt::layout_type L, class SC, class Tag>
std::true_type owns(const xt::xarray_container<EC, L, SC, Tag>*);
template <class EC, std::size_t N, xt::layout_type L, class Tag>
std::true_type owns(const xt::xtensor_container<EC, N, L, Tag>*);
std::false_type owns(const void*);

// A row-major xarray or xtensor that owns its elements: not a view, whose first element may stand anywhere.
template <class X>
concept RowMajorContainer =
    decltype(owns(static_cast<std::remove_cvref_t<X>*>(nullptr)))::value&& std::remove_cvref_t<X>::static_layout ==
    xt::layout_type::row_major;

}  // namespace detail

// Takes over the memory of a row-major xarray or xtensor, without a copy.
template <detail::RowMajorContainer X>
requires(!std::is_lvalue_reference_v<X>) Array adopt(X&& tensor) {
  using T = typename X::value_type;
  auto owner = std::make_shared<X>(std::forward<X>(tensor));
  std::vector<std::int64_t> extents(owner->shape().begin(), owner->shape().end());
  void* data = owner->data();
  return Array::wrap(Shape(extents), dtype_v<T>, data, std::move(owner));
}

// Reads a row-major xarray or xtensor in place. The caller keeps it alive, and its size fixed, while the view is in use.
template <detail::RowMajorContainer X> ArrayView borrow(const X& tensor) {
  std::vector<std::int64_t> extents(tensor.shape().begin(), tensor.shape().end());
  return {dtype_v<typename X::value_type>, Shape(extents), tensor.data()};
}
template <class X>
ArrayView borrow(const X&& tensor) =
    delete;  // a temporary is gone before it is read: adopt(std::move(x)) takes it over

// A read-only xtensor expression over the elements of a value or gradient, without a copy; strided views included. Valid as
// long as the memory it looks at. Throws DTypeError if T is not the element type.
template <class T> auto as_xarray(const ArrayView& view) {
  view.require(dtype_v<T>);
  std::vector<std::size_t> shape(view.shape.begin(), view.shape.end());
  std::vector<std::ptrdiff_t> strides(view.rank());
  // xtensor wants stride 0 on an axis of extent 1
  for (std::size_t axis = 0; axis < view.rank(); ++axis) strides[axis] = view.shape[axis] == 1 ? 0 : view.stride(axis);
  return xt::adapt(static_cast<const T*>(view.data), view.size(), xt::no_ownership(), shape, strides);
}

template <class T> auto as_xarray(const Array&&) = delete;  // a temporary is gone before it is read

// The same with the rank N in the type, as xt::xtensor has it. Throws ShapeError if the rank differs.
template <class T, std::size_t N> auto as_xtensor(const ArrayView& view) {
  if (view.rank() != N)
    throw ShapeError("as_xtensor<T, " + std::to_string(N) + ">: the array has shape " + to_string(view.shape));
  view.require(dtype_v<T>);
  std::array<std::size_t, N> shape;
  std::array<std::ptrdiff_t, N> strides;
  for (std::size_t axis = 0; axis < N; ++axis) {
    shape[axis] = static_cast<std::size_t>(view.shape[axis]);
    strides[axis] = view.shape[axis] == 1 ? 0 : view.stride(axis);
  }
  return xt::adapt(static_cast<const T*>(view.data), view.size(), xt::no_ownership(), shape, strides);
}

template <class T, std::size_t N> auto as_xtensor(const Array&&) = delete;

}  // namespace unroll
