#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <doctest/doctest.h>

// An operation that a user defines, and what the sweep owes it.

namespace unroll::test {

namespace {

// x^3, defined outside of the library, with a rule that can be told to go wrong.
bool rule_throws = false;
Array rule_constant;

void cube(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const Array x = c.inputs[0]->copy();
  double* y = static_cast<double*>(out);
  for (std::size_t i = 0; i < shape.size(); ++i) y[i] = (accumulate ? y[i] : 0) + x.flat(i) * x.flat(i) * x.flat(i);
}

const Op cube_op{.name = "cube",
                 .shape = [](const Call& c) { return c.shape(0); },
                 .forward = cube,
                 .vjp =
                     [](Vjp& v) {
                       const Var three = v.g.tape().constant(rule_constant);
                       const Var derivative = three * square(v.x[0]);
                       if (rule_throws) throw ShapeError("a rule gone wrong");
                       v.give(0, v.g * derivative);
                     },
                 .jvp = [](const Jvp& j) { return j.t[0] * square(j.x[0]) * 3; }};

}  // namespace

TEST_CASE("an operation from outside of the library is recorded and differentiated like any other") {
  rule_throws = false;
  rule_constant = Array::scalar(3);
  Tape tape;
  const Var x = tape.input(Array(Shape{2}, {2, -1}));
  const Var y = apply(cube_op, {x * 2});
  CHECK(close(y.value(), Array(Shape{2}, {64, -8}), 0, 0));
  const Array expected(Shape{2}, {96, 24});  // 24 x^2
  CHECK(close(backward(sum(y))[x], expected, 0, 0));
  const Gradients recorded = backward(sum(y), {.create_graph = true});
  CHECK(close(recorded[x], expected, 0, 0));
  CHECK(close(backward(sum(recorded.var(x)))[x], Array(Shape{2}, {96, -48}), 0, 0));  // 48 x
  CHECK(close(jvp(y, {{x, Array::filled({2}, 1, DType::f64)}}).value(), expected, 0, 0));
}

TEST_CASE("a rule that throws leaves tape and place as they were") {
  rule_constant = Array::scalar(3);
  Tape tape;
  const Var x = tape.input(Array::filled({2}, 1, DType::f64));
  const Var y = sum(apply(cube_op, {x}));
  const std::size_t size = tape.size();
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    rule_throws = true;
    CHECK_THROWS_WITH_AS(backward(y, {.create_graph = recorded}), "a rule gone wrong", ShapeError);
    rule_throws = false;
    CHECK(tape.place == Place{});
    CHECK(tape.origin == no_node);
    CHECK(!tape.lazy);
    if (!recorded) CHECK(tape.size() == size);  // no half-computed node may be left for a listing to read
    CHECK(close(backward(y)[x], Array(Shape{2}, {3, 3}), 0, 0));
  }
}

TEST_CASE("an unrecorded backward pass lets go of the constants of its rules") {
  rule_throws = false;
  rule_constant = Array::scalar(3);
  Tape tape;
  const Var x = tape.input(Array::filled({2}, 1, DType::f64));
  const Var y = sum(apply(cube_op, {x}));
  const long before = rule_constant.owner().use_count();
  for (int round = 0; round < 3; ++round) backward(y);
  CHECK(rule_constant.owner().use_count() == before);
}

}  // namespace unroll::test
