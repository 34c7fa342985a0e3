#include "support.hpp"

#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace unroll::test {

namespace {

Array counted(Shape shape, DType dtype = DType::f64) {
  Array array(std::move(shape), dtype);
  for (std::size_t i = 0; i < array.size(); ++i) array.set_flat(i, static_cast<double>(i));
  return array;
}

Shape of_rank(std::size_t rank) { return Shape(std::vector<std::int64_t>(rank, 1)); }

}  // namespace

TEST_CASE("a shape has a rank, extents and a size, and a scalar has one element") {
  const Shape scalar{}, matrix{2, 3}, empty{4, 0}, rank6{1, 2, 3, 1, 2, 2};
  CHECK(scalar.rank() == 0);
  CHECK(scalar.size() == 1);
  CHECK(matrix[1] == 3);
  CHECK(matrix.size() == 6);
  CHECK(empty.size() == 0);
  CHECK(rank6.size() == 24);
  CHECK(to_string(scalar) == "()");
  CHECK(to_string(Shape{4}) == "(4)");
  CHECK(to_string(rank6) == "(1, 2, 3, 1, 2, 2)");
  CHECK(matrix == Shape{2, 3});
  CHECK(matrix != Shape{3, 2});
  CHECK(matrix != Shape{2, 3, 1});
}

TEST_CASE("shapes of few and of many axes are copied, moved and assigned to each other") {
  const Shape few{2, 3}, many{1, 2, 3, 4, 5, 6}, more{7, 6, 5, 4, 3, 2, 1};
  for (const Shape& from : {few, many, more})
    for (const Shape& to : {few, many, more}) {
      Shape copied = to, moved = to, source = from;
      copied = from;
      CHECK(copied == from);
      moved = std::move(source);
      CHECK(moved == from);
      source = to;  // what was moved from can be used again
      CHECK(source == to);
      const Shape constructed = std::move(source);
      CHECK(constructed == to);
    }
  Shape self = many;
  const Shape& same = self;
  self = same;
  CHECK(self == many);
}

TEST_CASE("32 axes are the most, and negative extents are refused") {
  CHECK(of_rank(32).rank() == 32);
  CHECK_THROWS_WITH_AS(of_rank(33), "an array of rank 33: at most 32 axes", ShapeError);
  CHECK_THROWS_WITH_AS(Shape({2, -1}), "extent -1 in (2, -1): extents are at least 0", ShapeError);
  Tape tape;
  const Var deep = tape.input(Array(of_rank(32)));
  CHECK(tanh(deep).shape().rank() == 32);
  CHECK_THROWS_AS(stack(std::vector{deep, deep}), ShapeError);
}

TEST_CASE("shapes broadcast as in NumPy") {
  struct Row {
    Shape a, b, result;
  };
  for (const Row& row : {Row{{2, 3}, {2, 3}, {2, 3}},
                         {{2, 3}, {3}, {2, 3}},
                         {{2, 1}, {1, 3}, {2, 3}},
                         {{}, {4}, {4}},
                         {{}, {}, {}},
                         {{5, 1, 4}, {3, 1}, {5, 3, 4}},
                         {{0}, {1}, {0}},
                         {{2, 0}, {}, {2, 0}},
                         {{6, 1, 1, 1, 1, 2}, {3, 1, 5, 1}, {6, 1, 3, 1, 5, 2}}}) {
    INFO(to_string(row.a), " and ", to_string(row.b));
    CHECK(broadcast(row.a, row.b) == row.result);
    CHECK(broadcast(row.b, row.a) == row.result);
    CHECK(broadcasts_to(row.a, row.result));
    CHECK(broadcasts_to(row.b, row.result));
  }
  CHECK(!broadcasts_to({2, 3}, {3}));
  CHECK(!broadcasts_to({2}, {3}));
  CHECK(!broadcasts_to({3}, {1}));
}

TEST_CASE("shapes that do not broadcast name the axis and both extents") {
  CHECK_THROWS_WITH_AS(broadcast({2, 3}, {4}),
                       "axis -1 has extents 3 and 4, which do not broadcast (equal, or one of them 1)", ShapeError);
  CHECK_THROWS_WITH_AS(broadcast({2, 3}, {3, 3}),
                       "axis -2 has extents 2 and 3, which do not broadcast (equal, or one of them 1)", ShapeError);
  CHECK_THROWS_WITH_AS(broadcast({0}, {2}),
                       "axis -1 has extents 0 and 2, which do not broadcast (equal, or one of them 1)", ShapeError);
}

TEST_CASE("axes count from either end") {
  CHECK(normalize_axis(0, 3) == 0);
  CHECK(normalize_axis(2, 3) == 2);
  CHECK(normalize_axis(-1, 3) == 2);
  CHECK(normalize_axis(-3, 3) == 0);
  CHECK_THROWS_WITH_AS(normalize_axis(3, 3), "axis 3 does not exist: an array of rank 3 has axes -3 to 2", ShapeError);
  CHECK_THROWS_WITH_AS(normalize_axis(-4, 3), "axis -4 does not exist: an array of rank 3 has axes -3 to 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(normalize_axis(0, 0), "axis 0 does not exist: a scalar has no axes", ShapeError);
}

TEST_CASE("an array is made of zeros, of elements in row-major order, or of one number") {
  const Array zeros({2, 2}, DType::f64), listed(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(zeros.at({1, 1}) == 0);
  CHECK(listed.at({0, 2}) == 3);
  CHECK(listed.at({1, 0}) == 4);
  CHECK(listed.flat(4) == 5);
  CHECK(Array::scalar(2.5).item() == 2.5);
  CHECK(Array::scalar(2.5).rank() == 0);
  CHECK(Array::filled({3}, 7).dtype() == DType::f32);
  CHECK(Array::filled({3}, 7).flat(2) == 7);
  const std::vector<float> floats{1, 2};
  CHECK(Array(Shape{2}, std::span(floats)).dtype() == DType::f32);
  CHECK(Array().size() == 0);
  CHECK_THROWS_WITH_AS(Array(Shape{2, 2}, {1, 2, 3}), "an array of shape (2, 2) has 4 elements, but 3 were given",
                       ShapeError);
}

TEST_CASE("copying an array shares its memory, copy() does not") {
  Array a(Shape{2}, {1, 2});
  const Array shared = a, own = a.copy();
  const Array reshaped = a.reshaped({1, 2});
  a.set_flat(0, 9);
  CHECK(shared.flat(0) == 9);
  CHECK(own.flat(0) == 1);
  CHECK(reshaped.at({0, 0}) == 9);
  CHECK_THROWS_WITH_AS(counted({2, 3}).reshaped({4}), "(2, 3) cannot be reshaped to (4): 6 elements against 4",
                       ShapeError);
}

TEST_CASE("converting between dtypes rounds to the nearest float") {
  const Array a(Shape{2}, {0.1, 1.0});
  CHECK(a.as(DType::f32).flat(0) == 0.1F);
  CHECK(a.as(DType::f32).as(DType::f64).flat(0) != 0.1);
  CHECK(a.as(DType::f32).flat(1) == 1);
}

TEST_CASE("reading elements that do not exist is refused") {
  const Array a = counted({2, 3});
  CHECK_THROWS_WITH_AS(a.at({1}), "an index of 1 numbers into an array of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(a.at({0, 3}), "index 3 on axis 1 of an array of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(a.at({-1, 0}), "index -1 on axis 0 of an array of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(a.flat(6), "element 6 of an array of shape (2, 3), which has 6", ShapeError);
  CHECK_THROWS_WITH_AS(a.item(), "item() needs an array of one element, not of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(Array(Shape{0}).item(), "item() needs an array of one element, not of shape (0)", ShapeError);
  CHECK_THROWS_WITH_AS(counted({2}).set_flat(2, 1), "element 2 of an array of shape (2), which has 2", ShapeError);
  CHECK(counted({1, 1}).item() == 0);
}

TEST_CASE("elements are handed out as their own type only") {
  Array a = counted({3});
  CHECK(a.span<double>()[2] == 2);
  CHECK_THROWS_WITH_AS(a.span<float>(), "the array holds float64, but float32 was asked for", DTypeError);
  CHECK_THROWS_WITH_AS(std::as_const(a).span<float>(), "the array holds float64, but float32 was asked for",
                       DTypeError);
  CHECK_THROWS_WITH_AS(a.as(DType::f32).span<double>(), "the array holds float32, but float64 was asked for",
                       DTypeError);
}

TEST_CASE("views of a value share its memory and are read through their strides") {
  Tape tape;
  const Var x = tape.input(counted({2, 3, 4}));
  const Var flipped = transpose(x), moved = transpose(x, {2, 0, 1}), part = slice(x, 1, 1, 3), row = select(x, 0, 1),
            column = select(x, -1, 2), wide = broadcast_to(row, {2, 3, 4}), same = reshape(x, {6, 4});
  const auto offset = [&](const Var& y) {
    return static_cast<const double*>(y.value().data) - static_cast<const double*>(x.value().data);
  };
  CHECK(offset(flipped) == 0);
  CHECK(offset(moved) == 0);
  CHECK(offset(part) == 4);
  CHECK(offset(row) == 12);
  CHECK(offset(column) == 2);
  CHECK(offset(wide) == 12);
  CHECK(offset(same) == 0);
  CHECK(row.value().contiguous());
  CHECK(same.value().contiguous());
  CHECK(!flipped.value().contiguous());
  const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
    return static_cast<double>(12 * i + 4 * j + k);
  };
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t k = 0; k < 4; ++k) {
        CHECK(flipped.value().at({i, k, j}) == at(i, j, k));
        CHECK(moved.value().at({k, i, j}) == at(i, j, k));
        CHECK(wide.value().at({i, j, k}) == at(1, j, k));
        if (j >= 1) CHECK(part.value().at({i, j - 1, k}) == at(i, j, k));
        CHECK(column.value().at({i, j}) == at(i, j, 2));
      }
  for (const Var y : {flipped, moved, part, column, wide}) {
    const Array copy = y.value().copy();
    CHECK(copy.view().contiguous());
    CHECK(same_bits(copy, y.value()));
    CHECK(close(y.value().as(DType::f32), y.value(), 0, 0));
  }
  CHECK_THROWS_WITH_AS(part.value().span<double>(),
                       "a strided view of shape (2, 2, 4) has no contiguous elements: use copy()", ShapeError);
}

TEST_CASE("a reshape of a view has the elements in the view's order") {
  Tape tape;
  const Var x = tape.input(Array(Shape{2, 3}, {1, 2, 3, 4, 5, 6}));
  CHECK(close(reshape(transpose(x), {6}).value(), Array(Shape{6}, {1, 4, 2, 5, 3, 6}), 0, 0));
}

TEST_CASE("operations work on arrays of rank 6, broadcast and strided") {
  Tape tape;
  const Array a = counted({2, 1, 3, 1, 2, 2}), b = counted({4, 1, 3, 1, 2});
  const Var x = tape.input(a), y = tape.input(b);
  const Var total = x + y, turned = transpose(total, {5, 3, 1, 0, 2, 4}) * 2, reduced = sum(turned, {0, 2, 4});
  REQUIRE(total.shape() == Shape{2, 4, 3, 3, 2, 2});
  REQUIRE(turned.shape() == Shape{2, 3, 4, 2, 3, 2});
  REQUIRE(reduced.shape() == Shape{3, 2, 2});
  Array expected({3, 2, 2}, DType::f64);
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 4; ++j)
      for (std::int64_t k = 0; k < 3; ++k)
        for (std::int64_t l = 0; l < 3; ++l)
          for (std::int64_t m = 0; m < 2; ++m)
            for (std::int64_t n = 0; n < 2; ++n) {
              const double element = a.at({i, 0, k, 0, m, n}) + b.at({j, 0, l, 0, n});
              CHECK(total.value().at({i, j, k, l, m, n}) == element);
              const auto to = static_cast<std::size_t>((l * 2 + i) * 2 + m);
              expected.set_flat(to, expected.flat(to) + 2 * element);
            }
  CHECK(close(reduced.value(), expected, 0, 0));
}

TEST_CASE("matrix products read broadcast operands right") {
  Tape tape;
  const Var row = tape.input(Array(Shape{3}, {1, 2, 3})), column = tape.input(Array(Shape{3, 1}, {1, 10, 100}));
  const Var rows = broadcast_to(row, {2, 3}), columns = broadcast_to(column, {3, 2});
  CHECK(close(matmul(rows, columns).value(), Array(Shape{2, 2}, {321, 321, 321, 321}), 0, 0));
  CHECK(close(matmul(transpose(columns), transpose(rows)).value(), Array(Shape{2, 2}, {321, 321, 321, 321}), 0, 0));
  CHECK(close(matmul(columns, rows).value(), Array(Shape{3, 3}, {2, 4, 6, 20, 40, 60, 200, 400, 600}), 0, 0));
  const Var batch = broadcast_to(reshape(row, {1, 1, 3}), {2, 1, 3});
  CHECK(close(matmul(batch, columns).value(), Array(Shape{2, 1, 2}, {321, 321, 321, 321}), 0, 0));
}

TEST_CASE("long rows, in pieces and with rests, are computed like short ones") {
  // 1500 elements are more than one piece of the elementwise loops; the transposed operand has them gathered.
  Tape tape;
  const Array a = spread({3, 1500}, -1, 1), b = spread({1500, 3}, -1, 1, 1);
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Var y = tape.input(a.as(dtype)) * transpose(tape.input(b.as(dtype)));
    Array expected({3, 1500}, DType::f64);
    for (std::int64_t i = 0; i < 3; ++i)
      for (std::int64_t j = 0; j < 1500; ++j)
        expected.set_flat(static_cast<std::size_t>(1500 * i + j), a.at({i, j}) * b.at({j, i}));
    CHECK(close(y.value(), expected, dtype == DType::f64 ? 0 : 1e-6, 0));
  }
}

TEST_CASE("arrays without elements go through operations") {
  Tape tape;
  const Var x = tape.input(Array({0, 3}, DType::f64)), w = tape.input(counted({3, 2}));
  CHECK(tanh(x).shape() == Shape{0, 3});
  CHECK(matmul(x, w).shape() == Shape{0, 2});
  CHECK(sum(x).item() == 0);
  CHECK(close(sum(x, {0}).value(), Array({3}, DType::f64), 0, 0));
  CHECK(concat(std::vector{x, tape.input(counted({2, 3}))}, 0).shape() == Shape{2, 3});
  CHECK(close(matmul(transpose(x), tape.input(Array({0, 2}, DType::f64))).value(), Array({3, 2}, DType::f64), 0, 0));
}

TEST_CASE("an array is printed in nested brackets, long axes shortened") {
  CHECK(to_string(Array::scalar(3.5)) == "3.5");
  CHECK(to_string(Array(Shape{2, 2}, {1, 2, 3, 4})) == "[[1, 2], [3, 4]]");
  CHECK(to_string(counted({20})) == "[0, 1, 2, 3, ..., 16, 17, 18, 19]");
  CHECK(to_string(counted({12})) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]");
  CHECK(to_string(Array::scalar(1.0 / 3), 2) == "0.33");
  CHECK(to_string(Array(Shape{2, 0})) == "[] (2, 0)");
}

}  // namespace unroll::test
