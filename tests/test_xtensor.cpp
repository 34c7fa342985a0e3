#include <unroll/core/array/xtensor.hpp>

#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>
#endif

// The bridge, both ways.

namespace unroll::test {

TEST_CASE("an array is read as an xarray in place") {
  const Array a(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  const auto x = as_xarray<double>(a);
  CHECK(x.dimension() == 2);
  CHECK(x.shape(0) == 2);
  CHECK(x.shape(1) == 3);
  CHECK(static_cast<const void*>(&x(0, 0)) == a.data());
  CHECK(x(1, 0) == 4);
  CHECK(xt::sum(x)() == 21);
}

TEST_CASE("an array is read as an xtensor of fixed rank in place") {
  const Array a(Shape{2, 3}, {1, 2, 3, 4, 5, 6}, DType::f32);
  const auto x = as_xtensor<float, 2>(a);
  static_assert(std::is_same_v<std::decay_t<decltype(x(0, 0))>, float>);
  CHECK(x.shape() == std::array<std::size_t, 2>{2, 3});
  CHECK(static_cast<const void*>(&x(0, 0)) == a.data());
  CHECK(x(1, 2) == 6);
  CHECK_THROWS_WITH_AS((as_xtensor<float, 3>(a)), "as_xtensor<T, 3>: the array has shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS((as_xtensor<double, 2>(a)), "the array holds float32, but float64 was asked for", DTypeError);
  CHECK_THROWS_WITH_AS(as_xarray<double>(a), "the array holds float32, but float64 was asked for", DTypeError);
}

TEST_CASE("values and gradients come out of a tape in place") {
  Tape tape;
  const xt::xarray<double> input{{1.0, 2.0}, {3.0, 4.0}};
  const Var x = tape.input(input);
  const Var y = square(x);
  const Gradients gradients = backward(sum(y));
  const auto value = as_xarray<double>(y.value()), gradient = as_xarray<double>(gradients[x]);
  CHECK(static_cast<const void*>(&value(0, 0)) == y.value().data);
  CHECK(value == xt::xarray<double>({{1.0, 4.0}, {9.0, 16.0}}));
  CHECK(gradient == 2 * input);
}

TEST_CASE("scalars, arrays without elements and extents of 1 come out") {
  CHECK(as_xarray<double>(Array::scalar(7).view())() == 7);
  const Array scalar = Array::scalar(8), empty({0, 3}, DType::f64), thin(Shape{1, 3, 1}, {1, 2, 3});
  CHECK(as_xtensor<double, 0>(scalar)() == 8);
  CHECK(as_xarray<double>(empty).size() == 0);
  CHECK(as_xarray<double>(empty).shape(1) == 3);
  CHECK(as_xarray<double>(thin)(0, 2, 0) == 3);
  CHECK(xt::sum(as_xtensor<double, 3>(thin))() == 6);
}

TEST_CASE("transposed, sliced and broadcast values are read right, in place") {
  Tape tape;
  const xt::xarray<double> whole = xt::arange<double>(24).reshape({2, 3, 4});
  const Var x = tape.input(whole);
  const Var flipped = transpose(x), part = slice(slice(x, 1, 1, 3), 2, 1, 4), row = select(x, 1, 2),
            wide = broadcast_to(row, {3, 2, 4});
  for (const Var y : {flipped, part, row, wide}) {
    REQUIRE(!y.value().contiguous());
    CHECK(static_cast<const void*>(&*as_xarray<double>(y.value()).begin()) == y.value().data);
  }
  CHECK(as_xarray<double>(flipped.value()) == xt::transpose(whole, {0, 2, 1}));
  CHECK((as_xtensor<double, 3>(flipped.value()) == xt::transpose(whole, {0, 2, 1})));
  CHECK(as_xarray<double>(part.value()) == xt::view(whole, xt::all(), xt::range(1, 3), xt::range(1, 4)));
  CHECK(as_xarray<double>(row.value()) == xt::view(whole, xt::all(), 2, xt::all()));
  CHECK(xt::sum(as_xarray<double>(wide.value()))() == 3 * xt::sum(xt::view(whole, xt::all(), 2, xt::all()))());
  const xt::xarray<double> doubled = as_xarray<double>(flipped.value()) * 2;
  CHECK(doubled(1, 3, 0) == 2 * whole(1, 0, 3));
}

TEST_CASE("adopt takes over the memory of an xarray or xtensor") {
  xt::xarray<double> x{{1.0, 2.0}, {3.0, 4.0}};
  xt::xtensor<float, 3> y = xt::ones<float>({2, 3, 4});
  const void *at_x = x.data(), *at_y = y.data();
  const Array a = adopt(std::move(x)), b = adopt(std::move(y));
  CHECK(a.data() == at_x);
  CHECK(a.shape() == Shape{2, 2});
  CHECK(a.dtype() == DType::f64);
  CHECK(a.at({1, 0}) == 3);
  CHECK(b.data() == at_y);
  CHECK(b.shape() == Shape{2, 3, 4});
  CHECK(b.dtype() == DType::f32);
  Tape tape;
  CHECK(sum(tape.input(b)).item() == 24);
  CHECK(tape.var(0).value().data == at_y);
}

TEST_CASE("borrow reads an xarray or xtensor where it is") {
  xt::xtensor<double, 2> x{{1.0, 2.0}, {3.0, 4.0}};
  const ArrayView view = borrow(x);
  CHECK(view.data == static_cast<const void*>(x.data()));
  CHECK(view.shape == Shape{2, 2});
  Tape tape;
  const Var v = tape.constant_view(view);
  CHECK(sum(v).item() == 10);
  x(0, 0) = 100;
  CHECK(sum(v).item() == 109);
}

TEST_CASE("an array is made from any xtensor expression") {
  const xt::xarray<double> m{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const xt::xtensor<float, 2> f{{1.0F, 2.0F}, {3.0F, 4.0F}};
  CHECK(same_bits(Array(m), Array(Shape{2, 3}, {1, 2, 3, 4, 5, 6})));
  CHECK(same_bits(Array(f), Array(Shape{2, 2}, {1, 2, 3, 4}, DType::f32)));
  CHECK(same_bits(Array(m * 2.0 + 1.0), Array(Shape{2, 3}, {3, 5, 7, 9, 11, 13})));
  CHECK(same_bits(Array(xt::transpose(m)), Array(Shape{3, 2}, {1, 4, 2, 5, 3, 6})));
  CHECK(same_bits(Array(xt::sum(m, {0})), Array(Shape{3}, {5, 7, 9})));
  CHECK(same_bits(Array(xt::sum(m)), Array::scalar(21)));
  CHECK(same_bits(Array(xt::amax(m, {1})), Array(Shape{2}, {3, 6})));
  CHECK(same_bits(Array(xt::view(m, xt::all(), xt::range(1, 3))), Array(Shape{2, 2}, {2, 3, 5, 6})));
  CHECK(same_bits(Array(xt::ones<float>({2})), Array::filled({2}, 1)));
  CHECK(same_bits(Array(xt::cast<float>(m)), Array(Shape{2, 3}, {1, 2, 3, 4, 5, 6}, DType::f32)));
  const xt::xarray<double, xt::layout_type::column_major> columns = m;
  CHECK(same_bits(Array(columns), Array(Shape{2, 3}, {1, 2, 3, 4, 5, 6})));
  CHECK(same_bits(Array(xt::xarray<double>(3.0)), Array::scalar(3)));
}

TEST_CASE("an array made from an expression has memory of its own") {
  xt::xarray<double> m{1.0, 2.0};
  const Array a(m);
  m(0) = 9;
  CHECK(a.flat(0) == 1);
}

TEST_CASE("the way through xtensor and back changes no bit") {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{2, 1, 3}, Shape{2, 3, 2, 2, 1, 2}}) {
    INFO(to_string(shape));
    const Array a = spread(shape, -3, 3);
    CHECK(same_bits(Array(as_xarray<double>(a)), a));
    const Array single = a.as(DType::f32);
    CHECK(same_bits(Array(as_xarray<float>(single)), single));
    CHECK(same_bits(adopt(xt::xarray<double>(as_xarray<double>(a))), a));
  }
}

// xtensor up to 0.25 takes the temporary of such expressions for a tensor of rank 4 in C++20, unless the bridge is
// included first.
TEST_CASE("temporaries of xarray expressions keep their rank in C++20") {
  const xt::xarray<double> m{{1.0, 2.0}, {3.0, 4.0}}, deep = xt::ones<double>({2, 1, 2, 1, 3});
  auto sum = xt::eval(m + 1.0);
  static_assert(std::is_same_v<decltype(sum), xt::xarray<double>>);
  CHECK(sum.dimension() == 2);
  CHECK(sum == xt::xarray<double>({{2.0, 3.0}, {4.0, 5.0}}));
  auto product = xt::eval(m * m - 1.0);
  CHECK(product(1, 1) == 15);
  auto five_axes = xt::eval(deep * 2.0);
  CHECK(five_axes.dimension() == 5);
  CHECK(xt::sum(five_axes)() == 24);
  xt::xarray<double> assigned = m;
  assigned = m + assigned;  // goes through a temporary, because of the alias
  CHECK(assigned == 2 * m);
  assigned += xt::eval(xt::exp(m - m));
  CHECK(assigned(1, 1) == 9);
  CHECK(same_bits(Array(sum), Array(Shape{2, 2}, {2, 3, 4, 5})));
}

TEST_CASE("temporaries of xtensor expressions keep their fixed rank in C++20") {
  const xt::xtensor<double, 2> m{{1.0, 2.0}, {3.0, 4.0}};
  auto sum = xt::eval(m + 1.0);
  static_assert(std::is_same_v<decltype(sum), xt::xtensor<double, 2>>);
  CHECK(sum == xt::xtensor<double, 2>({{2.0, 3.0}, {4.0, 5.0}}));
  const xt::xtensor<double, 4> deep = xt::ones<double>({2, 1, 2, 3});
  auto four_axes = xt::eval(deep + deep);
  static_assert(std::is_same_v<decltype(four_axes), xt::xtensor<double, 4>>);
  CHECK(xt::sum(four_axes)() == 24);
  const auto mixed = xt::eval(m + xt::xarray<double>{10.0, 20.0});
  CHECK(mixed(1, 1) == 24);
}

}  // namespace unroll::test
