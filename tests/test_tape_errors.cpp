#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <optional>

// What the tape and the sweeps say when they are misused, in full.

namespace unroll::test {

namespace {

Array zeros(Shape shape, DType dtype = DType::f64) { return Array(std::move(shape), dtype); }

}  // namespace

TEST_CASE("a shape error names operation, shapes, reason, scope, step and node") {
  Tape tape;
  const Var x = tape.input(zeros({32, 10})), w = tape.input(zeros({12, 64}));
  const Scope layer(tape, "lstm"), gate(tape, "forget");
  const Step step(tape, 3);
  CHECK_THROWS_WITH_AS(matmul(x, w), "matmul: (32, 10) x (12, 64): inner 10 != 12  [lstm/forget, t = 3, node 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(x + w,
                       "add: (32, 10) x (12, 64): axis -1 has extents 10 and 64, which do not broadcast (equal, or one "
                       "of them 1)  [lstm/forget, t = 3, node 2]",
                       ShapeError);
}

TEST_CASE("a dtype error names operation, dtypes and place") {
  Tape tape;
  const Var x = tape.input(zeros({2})), y = tape.input(zeros({2}, DType::f32));
  const Scope layer(tape, "gru");
  CHECK_THROWS_WITH_AS(x * y,
                       "mul: float64 x float32: operands must have one dtype (Array::as converts; layers have an "
                       "option dtype)  [gru, node 2]",
                       DTypeError);
}

TEST_CASE("operands of two tapes are refused") {
  Tape one, two;
  const Var a = one.input(zeros({2})), b = two.input(zeros({2}));
  CHECK_THROWS_WITH_AS(
      a + b, "add: operand 1: recorded on another tape than operand 0: one operation works on one tape  [node 0]",
      TapeError);
  CHECK(one.size() == 1);
  CHECK(two.size() == 1);
  CHECK_THROWS_WITH_AS(jvp(tanh(a), {{b, zeros({2})}}), "jvp: y and the direction belong to two tapes", TapeError);
}

TEST_CASE("a Var of before clear() is refused") {
  Tape tape;
  tape.input(zeros({2}));
  const Var old = tape.input(zeros({2}));
  tape.clear();
  const Var fresh = tape.input(zeros({2}));
  tape.input(zeros({2}));  // a node of the same number
  CHECK(!old.alive());
  const char* message = "a Var was used after its tape was cleared or destroyed (it was node 1)";
  CHECK_THROWS_WITH_AS(old.value(), message, TapeError);
  CHECK_THROWS_WITH_AS(old.item(), message, TapeError);
  CHECK_THROWS_WITH_AS(old.named("x"), message, TapeError);
  CHECK_THROWS_WITH_AS(backward(old), message, TapeError);
  CHECK_THROWS_WITH_AS(
      fresh + old, "add: operand 1: a Var was used after its tape was cleared or destroyed (it was node 1)", TapeError);
}

TEST_CASE("a Var that outlived its tape is refused") {
  std::optional<Tape> tape(std::in_place);
  const Var old = tape->input(zeros({2}));
  tape.reset();
  Tape other;
  const Var fresh = other.input(zeros({2}));
  CHECK_THROWS_WITH_AS(old.shape(), "a Var was used after its tape was cleared or destroyed (it was node 0)",
                       TapeError);
  CHECK_THROWS_WITH_AS(
      fresh + old, "add: operand 1: a Var was used after its tape was cleared or destroyed (it was node 0)", TapeError);
}

TEST_CASE("an empty Var is refused") {
  Tape tape;
  const Var x = tape.input(zeros({2})), empty;
  CHECK(empty.empty());
  CHECK(!empty.alive());
  CHECK_THROWS_WITH_AS(empty.value(), "an empty Var was used: it was default-constructed and never assigned",
                       TapeError);
  CHECK_THROWS_WITH_AS(
      x + empty, "add: operand 1: an empty Var was used: it was default-constructed and never assigned", TapeError);
}

TEST_CASE("a dead or empty first operand is refused in the name of the operation, too") {
  Tape tape;
  const Var old = tape.input(zeros({2})), empty;
  tape.clear();
  CHECK_THROWS_WITH_AS(
      tanh(old), "tanh: operand 0: a Var was used after its tape was cleared or destroyed (it was node 0)", TapeError);
  CHECK_THROWS_WITH_AS(
      tanh(empty), "tanh: operand 0: an empty Var was used: it was default-constructed and never assigned", TapeError);
}

TEST_CASE("an operation without operands and a node that does not exist are refused") {
  Tape tape;
  tape.input(zeros({2}));
  CHECK_THROWS_WITH_AS(concat({}, 0), "concat: no operands, so no tape to record on", TapeError);
  CHECK_THROWS_WITH_AS(tape.var(5), "node 5 of a tape of 1 nodes", TapeError);
}

TEST_CASE("backward wants a scalar, or a cotangent that fits") {
  Tape tape;
  const Var x = tape.input(zeros({2, 3}));
  const Scope layer(tape, "rnn");
  const Var y = tanh(x);
  CHECK_THROWS_WITH_AS(
      backward(y),
      "backward: the loss has shape (2, 3): expected a scalar, or a cotangent of that shape  [rnn, node 1]",
      ShapeError);
  CHECK_THROWS_WITH_AS(backward(y, {.cotangent = zeros({3, 2})}),
                       "backward: a cotangent of shape (3, 2) for a loss of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(backward(y, {.cotangent = zeros({2, 3}, DType::f32)}),
                       "backward: a float32 cotangent for a float64 loss", DTypeError);
}

TEST_CASE("backward refuses a loss without anything to differentiate by") {
  Tape tape;
  const Var loss = sum(tanh(tape.constant(zeros({2}))));
  CHECK_THROWS_WITH_AS(backward(loss), "backward: the loss depends on no input or parameter  [node 2]", GradientError);
  const Var detached = sum(detach(tape.input(zeros({2}))));
  CHECK_THROWS_WITH_AS(backward(detached), "backward: the loss depends on no input or parameter  [node 5]",
                       GradientError);
}

TEST_CASE("backward refuses a parameter that changed after it was recorded") {
  Parameter weight("lstm.W_x", zeros({2}));
  Tape tape;
  const Var loss = sum(square(tape.use(weight)));
  weight.assign(Array(Shape{2}, {1, 2}));
  const char* message =
      "parameter lstm.W_x has changed since it was recorded: take the gradient before the optimiser's step, and record "
      "the next step on a cleared tape";
  CHECK_THROWS_WITH_AS(backward(loss), message, GradientError);
  CHECK_THROWS_WITH_AS(backward(loss, {.create_graph = true}), message, GradientError);
  tape.clear();
  CHECK(close(backward(sum(square(tape.use(weight))))[weight], Array(Shape{2}, {2, 4}), 0, 0));
}

TEST_CASE("a parameter keeps its shape") {
  Parameter weight("b", zeros({2}));
  CHECK_THROWS_WITH_AS(weight.assign(zeros({3})), "parameter b: assigned an array of shape (3), expected (2)",
                       ShapeError);
}

TEST_CASE("a gradient that was not computed is an error that says why, a gradient of zero is zero") {
  Tape tape;
  Parameter unused("bias", zeros({2}));
  const Var x = tape.input(Array(Shape{2}, {1, 2}), "x"), c = tape.constant(Array(Shape{2}, {3, 4}), "c");
  const Var beside = tape.input(zeros({2}), "beside"), unnamed = tape.input(zeros({2}));
  const Var y = (x * c).named("y"), loss = sum(y) + 0 * sum(beside), after = tanh(x);
  const Gradients gradients = backward(loss);

  CHECK(gradients.contains(beside));
  CHECK(close(gradients[beside], zeros({2}), 0, 0));

  CHECK(!gradients.contains(unnamed));
  CHECK_THROWS_WITH_AS(gradients[unnamed],
                       "no gradient was computed for this node [node 3]: the loss does not depend on it",
                       GradientError);
  CHECK(!gradients.contains(c));
  CHECK_THROWS_WITH_AS(gradients[c],
                       "no gradient was computed for c [node 1]: it is a constant, or depends on no input or parameter",
                       GradientError);
  CHECK(!gradients.contains(y));
  CHECK_THROWS_WITH_AS(gradients[y],
                       "no gradient was computed for y [node 4]: only leaves are kept; backward(loss, {.keep = "
                       "Keep::all}) keeps the gradient of every node, {.also = {x, ...}} those of a few "
                       "on which the loss depends",
                       GradientError);
  CHECK(!gradients.contains(unused));
  CHECK_THROWS_WITH_AS(gradients[unused], "no gradient was computed for parameter bias: the loss does not depend on it",
                       GradientError);
  CHECK_THROWS_WITH_AS(gradients.norm(unused),
                       "no gradient was computed for parameter bias: the loss does not depend on it", GradientError);

  const Gradients all = backward(loss, {.keep = Keep::all});
  CHECK(all.contains(y));
  CHECK_THROWS_AS(all[after], GradientError);
  CHECK_THROWS_WITH_AS(
      all.var(x),
      "the gradient is no node of the tape: backward(loss, {.create_graph = true}) records the backward pass",
      GradientError);
}

TEST_CASE("gradients know the recording they belong to") {
  Tape tape, other;
  const Var x = tape.input(Array::scalar(1)), foreign = other.input(Array::scalar(1));
  const Gradients gradients = backward(square(x));
  const char* message = "gradients were asked about a Var of another recording [node 0]";
  CHECK_THROWS_WITH_AS(gradients[foreign], message, TapeError);
  tape.clear();
  CHECK_THROWS_WITH_AS(gradients[tape.input(Array::scalar(1))], message, TapeError);
}

TEST_CASE("jvp wants directions that fit") {
  Tape tape;
  const Var x = tape.input(zeros({2, 3}));
  const Var y = tanh(x);
  CHECK_THROWS_WITH_AS(jvp(y, {{x, zeros({3})}}), "jvp: a direction of shape (3) for a node of shape (2, 3)  [node 0]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(jvp(y, {{x, zeros({2, 3}, DType::f32)}}),
                       "jvp: a float32 direction for a float64 node  [node 0]", DTypeError);
  CHECK(tape.place == Place{});
}

TEST_CASE("wrong axes, indices and rates say what would be right") {
  Tape tape;
  const Var x = tape.input(zeros({2, 3})), s = tape.input(zeros({}));
  const std::int64_t indices[] = {0, 3};
  CHECK_THROWS_WITH_AS(sum(x, {2}), "sum: (2, 3): axis 2 does not exist: an array of rank 2 has axes -2 to 1  [node 0]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mean(x, {1, -1}), "mean: (2, 3): axes [1, -1] name an axis twice  [node 0]", ShapeError);
  CHECK_THROWS_WITH_AS(softmax(s), "softmax: (): axis -1 does not exist: a scalar has no axes  [node 2]", ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, indices, 1), "gather: (2, 3): index 1 is 3, expected 0 to 2 on axis 1  [node 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, indices),
                       "cross_entropy: (2, 3): target 1 is 3, expected a class from 0 to 2  [node 2]", ShapeError);
  CHECK_THROWS_WITH_AS(split(x, 1, 2), "split: (2, 3): axis 1 of extent 3 has no 2 equal parts", ShapeError);
  CHECK_THROWS_WITH_AS(reshape(x, {4}), "reshape: (2, 3): 6 elements cannot take the shape (4) of 4  [node 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(max(tape.input(zeros({0, 2})), {0}), "max: (0, 2): axis 0 has no elements to reduce  [node 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(clip(x, 1, 0), "clip: the lower bound 1 is not below the upper bound 0", ShapeError);
  Generator generator(1);
  CHECK_THROWS_WITH_AS(dropout(x, 1, generator), "dropout: rate 1 is not in [0, 1)", ShapeError);
}

}  // namespace unroll::test
