#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

// The sweeps over whole programs: what is summed, what is kept, how long a chain may be. Expected numbers are
// calculated by hand.

namespace unroll::test {

TEST_CASE("the gradient of a node used several times is the sum over its uses") {
  Tape tape;
  Parameter weight("w", Array::scalar(3));
  Var total = tape.scalar(0, DType::f64);
  for (int t = 1; t <= 4; ++t) {
    const Step step(tape, t);
    total = total + tape.use(weight) * static_cast<double>(t);  // 1 + 2 + 3 + 4
  }
  CHECK(backward(total)[weight].item() == 10);
  CHECK(backward(total, {.create_graph = true})[weight].item() == 10);
  const Var w = tape.use(weight);
  CHECK(backward(w * w * w)[weight].item() == 27);
  CHECK(backward(w + w)[w].item() == 2);
  CHECK(backward(w - w)[w].item() == 0);
}

TEST_CASE("a recurrence has the gradient that is derived by hand") {
  // h_t = w h_{t-1} + x, h_0 = 0, L = h_3 = x (w^2 + w + 1): dL/dw = x (2 w + 1), dL/dx = w^2 + w + 1, dL/dh_1 = w^2
  Tape tape;
  Parameter weight("w", Array::scalar(0.5));
  const Var x = tape.input(Array::scalar(2));
  Var h = tape.scalar(0, DType::f64), h_1;
  for (int t = 1; t <= 3; ++t) {
    const Step step(tape, t);
    h = tape.use(weight) * h + x;
    if (t == 1) h_1 = h;
  }
  CHECK(h.item() == 3.5);
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const Gradients gradients = backward(h, {.keep = Keep::all, .create_graph = recorded});
    CHECK(gradients[weight].item() == 4);
    CHECK(gradients[x].item() == 1.75);
    CHECK(gradients[h_1].item() == 0.25);
    CHECK(gradients[h].item() == 1);
  }
}

TEST_CASE("one tape gives several gradients, each on its own") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3)), y = tape.input(Array::scalar(5));
  const Var product = x * y, power = square(x);
  const Gradients first = backward(product), second = backward(power), again = backward(product);
  CHECK(first[x].item() == 5);
  CHECK(first[y].item() == 3);
  CHECK(second[x].item() == 6);
  CHECK(!second.contains(y));
  CHECK(again[x].item() == 5);
  CHECK(backward(product, {.create_graph = true})[x].item() == 5);  // and in between, recorded ones
  CHECK(backward(power)[x].item() == 6);
}

TEST_CASE("gradients can be moved, and the moved ones keep their numbers") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3));
  Gradients kept = backward(square(x));
  Gradients moved = std::move(kept);
  CHECK(moved[x].item() == 6);
  moved = backward(x * 7);
  CHECK(moved[x].item() == 7);
  // the buffer of the first gradient is free again, and must not be the second one's
  const Gradients third = backward(x * 11);
  CHECK(moved[x].item() == 7);
  CHECK(third[x].item() == 11);
}

TEST_CASE("gradients can be assigned those of another tape, with all that they keep") {
  const Parameter W("W", Array::scalar(3));
  Tape first, second;
  const Var x = first.input(Array::scalar(2));
  Gradients gradients = backward(square(x));

  const Var a = second.input(Array::scalar(5));
  Var product;
  {
    const Step step(second, 4);
    product = a * second.use(W);
  }
  const Var loss = square(product);
  gradients = backward(loss, {.keep = Keep::all, .by_step = {W}});
  CHECK(gradients[a].item() == 90);
  CHECK(gradients[W].item() == 150);
  CHECK(gradients[product].item() == 30);
  CHECK(gradients.contribution(W, 4).item() == 150);
  CHECK_THROWS_WITH_AS(gradients[square(a)], doctest::Contains("the loss does not depend on it"), GradientError);
  CHECK_THROWS_AS(gradients[x], TapeError);
  CHECK_THROWS_AS(gradients[first.input(Array::scalar(1))], TapeError);
}

TEST_CASE("the entries of parameters stand in the order of their nodes, wherever the parameters lie in memory") {
  Tape tape;
  std::vector<Parameter> parameters;
  for (int i = 0; i < 40; ++i) parameters.emplace_back("p", Array::scalar(i));
  Var total = tape.constant(Array::scalar(0));
  for (const Parameter& p : parameters) total = total + tape.use(p);
  const auto entries = backward(total).parameter_entries();
  CHECK(entries.size() == 40);
  CHECK(std::is_sorted(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.node > b.node; }));
}

TEST_CASE("the norm of a view is that of the elements that it shows") {
  Tape tape;
  const Var x = tape.input(Array(Shape{2, 2}, {2, 3, 4, 5}));
  CHECK(norm(x.value()) == doctest::Approx(std::sqrt(54.0)).epsilon(1e-15));
  CHECK(norm(slice(x, 1, 0, 1).value()) == doctest::Approx(std::sqrt(20.0)).epsilon(1e-15));
  CHECK(norm(slice(x, 1, 1, 2).value()) == doctest::Approx(std::sqrt(34.0)).epsilon(1e-15));
  CHECK(norm(broadcast_to(tape.input(Array(Shape{1}, {3})), {4}).value()) == 6);
}

TEST_CASE("buffers of gradients go back to the tape that they come from, and a backward pass leaves no memory behind") {
  Tape other, tape;
  const Var x = tape.input(Array({64, 64}, DType::f64)), row = tape.input(Array({64}, DType::f64));
  const Var loss = sum(exp(x * row));  // the adjoint of the row is summed from a whole matrix
  const Var small = other.input(Array::scalar(1));
  std::vector<std::size_t> bytes;
  for (int i = 0; i < 50; ++i) {
    Gradients gradients = backward(square(small));
    gradients = backward(loss);
    bytes.push_back(tape.bytes_reserved());
  }
  CHECK(bytes.back() == bytes[1]);
}

TEST_CASE("Keep::all keeps the gradient of every node on the way") {
  Tape tape;
  const Var x = tape.input(Array(Shape{2}, {1, 2})), c = tape.constant(Array(Shape{2}, {3, 4}));
  const Var y = x * c, z = square(y), loss = sum(z);
  const Gradients leaves = backward(loss), all = backward(loss, {.keep = Keep::all});
  CHECK(!leaves.contains(y));
  CHECK(!leaves.contains(z));
  CHECK(all[loss].item() == 1);
  CHECK(close(all[z], Array(Shape{2}, {1, 1}), 0, 0));
  CHECK(close(all[y], Array(Shape{2}, {6, 16}), 0, 0));
  CHECK(close(all[x], Array(Shape{2}, {18, 64}), 0, 0));
  CHECK(close(leaves[x], all[x], 0, 0));
  CHECK(!all.contains(c));
  CHECK(all.norm(y) == doctest::Approx(std::sqrt(36.0 + 256.0)));
}

TEST_CASE(
    "a recorded pass keeps all gradients, so that one that is missing means that the loss does not depend on it") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3)), beside = x * 5;
  const Gradients gradients = backward(square(x), {.create_graph = true});
  CHECK_THROWS_WITH_AS(gradients[beside], doctest::Contains("the loss does not depend on it"), GradientError);
}

TEST_CASE("a cotangent weights the elements of the loss") {
  Tape tape;
  const Var x = tape.input(Array(Shape{3}, {1, 2, 3}));
  const Array cotangent(Shape{3}, {10, 0, -1});
  const Gradients gradients = backward(square(x), {.cotangent = cotangent});
  CHECK(close(gradients[x], Array(Shape{3}, {20, 0, -6}), 0, 0));
  CHECK(close(cotangent, Array(Shape{3}, {10, 0, -1}), 0, 0));
  CHECK(close(backward(x, {.cotangent = cotangent})[x], cotangent, 0, 0));
}

TEST_CASE("constants and what depends on constants only get no gradient") {
  Tape tape;
  const Var x = tape.input(Array::scalar(2)), c = tape.constant(Array::scalar(3));
  const Var from_constants = c * c;
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const Gradients gradients = backward(x * from_constants, {.keep = Keep::all, .create_graph = recorded});
    CHECK(gradients[x].item() == 9);
    CHECK(!gradients.contains(c));
    CHECK(!gradients.contains(from_constants));
  }
}

TEST_CASE("detach stops the gradient and keeps the value") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3));
  const Var y = x * detach(x);
  CHECK(y.item() == 9);
  CHECK(backward(y)[x].item() == 3);
  CHECK(backward(y, {.create_graph = true})[x].item() == 3);
  CHECK(jvp(y, {{x, Array::scalar(1)}}).item() == 3);
}

TEST_CASE("ties and kinks have the derivatives that the declarations promise") {
  Tape tape;
  const Var x = tape.input(Array(Shape{4}, {0, 2, 2, 1})), y = tape.input(Array(Shape{4}, {0, 2, 3, 0}));
  const Gradients largest = backward(sum(maximum(x, y))), least = backward(sum(minimum(x, y)));
  CHECK(close(largest[x], Array(Shape{4}, {0.5, 0.5, 0, 1}), 0, 0));
  CHECK(close(largest[y], Array(Shape{4}, {0.5, 0.5, 1, 0}), 0, 0));
  CHECK(close(least[x], Array(Shape{4}, {0.5, 0.5, 1, 0}), 0, 0));
  CHECK(close(backward(max(x))[x], Array(Shape{4}, {0, 0.5, 0.5, 0}), 0, 0));
  CHECK(close(backward(sum(relu(x)))[x], Array(Shape{4}, {0, 1, 1, 1}), 0, 0));
  CHECK(close(backward(sum(abs(x)))[x], Array(Shape{4}, {0, 1, 1, 1}), 0, 0));
  CHECK(close(backward(sum(clip(x, 1, 2)))[x], Array(Shape{4}, {0, 1, 1, 1}), 0, 0));
  CHECK(close(backward(sum(pow(x, 0)))[x], Array(Shape{4}), 0, 0));
}

TEST_CASE("where takes every number but 0 for true, and its condition has the gradient 0") {
  Tape tape;
  const Var condition = tape.input(Array(Shape{4}, {-2, 0.5, 0, 3}));
  const Var a = tape.input(Array(Shape{4}, {1, 2, 3, 4})), b = tape.input(Array(Shape{4}, {5, 6, 7, 8}));
  const Var loss = sum(where(condition, a, b) * tape.constant(Array(Shape{4}, {10, 20, 30, 40})));
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const Gradients gradients = backward(loss, {.create_graph = recorded});
    CHECK(close(gradients[a], Array(Shape{4}, {10, 20, 0, 40}), 0, 0));
    CHECK(close(gradients[b], Array(Shape{4}, {0, 0, 30, 0}), 0, 0));
    CHECK(close(gradients[condition], Array(Shape{4}), 0, 0));
  }
}

TEST_CASE("a power of 0 is 1 everywhere, so that its derivative is 0, also by what is not finite") {
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  Tape tape;
  const Var x = tape.input(Array(Shape{4}, {0, infinity, -infinity, nan}));
  const Var y = pow(x, 0);
  CHECK(close(y.value(), Array::filled({4}, 1), 0, 0));
  CHECK(close(backward(sum(y))[x], Array(Shape{4}), 0, 0));
}

TEST_CASE("jvp follows several directions at once, and is 0 where nothing flows") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3)), y = tape.input(Array::scalar(5)), z = tape.input(Array::scalar(1));
  const Var product = x * y;
  CHECK(jvp(product, {{x, Array::scalar(1)}, {y, Array::scalar(10)}}).item() == 35);
  CHECK(jvp(product, {{z, Array::scalar(1)}}).item() == 0);
  CHECK(jvp(x, {{x, Array::scalar(4)}}).item() == 4);
}

TEST_CASE("jvp sees a mask of dropout that moves, a constant that the operation drew itself") {
  Tape tape;
  Generator generator(3);
  const Var x = tape.input(Array(Shape{4}, {2, -3, 5, 7})), y = dropout(x, 0.5, generator);
  const Var mask = tape.var(tape.inputs(y.id())[1]);
  CHECK(
      close(jvp(y, {{mask, Array(Shape{4}, {1, 10, 100, 1000})}}).value(), Array(Shape{4}, {2, -30, 500, 7000}), 0, 0));
}

TEST_CASE("a tangent is recorded at the place of its forward node and can be differentiated") {
  Tape tape;
  const Var x = tape.input(Array::scalar(2));
  Var y;
  {
    const Scope layer(tape, "cell");
    const Step step(tape, 1);
    y = x * x * x;
  }
  const Var tangent = jvp(y, {{x, Array::scalar(1)}});
  CHECK(tangent.item() == 12);
  CHECK(tangent.node().place.phase == Phase::tangent);
  CHECK(tangent.node().origin == y.id());
  CHECK(tape.where(tangent.id()) == "[cell, t = 1, tangent, node " + std::to_string(tangent.id()) + "]");
  CHECK(backward(tangent)[x].item() == 12);  // (3 x^2)' = 6 x
}

TEST_CASE("derivatives of derivatives: x^4 to the fourth order") {
  Tape tape;
  const Var x = tape.input(Array::scalar(2));
  Var y = square(square(x));
  for (const double expected : {32.0, 48.0, 48.0, 24.0}) {
    const Gradients gradients = backward(y, {.create_graph = true});
    y = gradients.var(x);
    CHECK(y.item() == expected);
  }
}

TEST_CASE("a chain of 100,000 steps is differentiated in both directions") {
  // h_T = w^T h_0 with w = h_0 = 1, in whole numbers: dh_T/dw = T, its own derivative T (T - 1)
  constexpr int T = 100'000;
  Tape tape;
  Parameter weight("w", Array::scalar(1));
  const Var h_0 = tape.input(Array::scalar(1));
  Var h = h_0;
  for (int t = 1; t <= T; ++t) {
    const Step step(tape, t);
    h = h * tape.use(weight);
  }
  CHECK(tape.size() == T + 2);
  SUBCASE("unrecorded") {
    const Gradients gradients = backward(h);
    CHECK(gradients[weight].item() == T);
    CHECK(gradients[h_0].item() == 1);
    CHECK(tape.size() == T + 2);
  }
  SUBCASE("unrecorded, with every gradient kept") {
    const Gradients gradients = backward(h, {.keep = Keep::all});
    for (NodeId id = 2; id < tape.size(); id += 1000) CHECK(gradients[tape.var(id)].item() == 1);
  }
  SUBCASE("recorded, and once more through the record") {
    const Gradients gradients = backward(h, {.create_graph = true});
    CHECK(gradients[weight].item() == T);
    CHECK(backward(gradients.var(tape.use(weight)))[weight].item() == static_cast<double>(T) * (T - 1));
  }
  SUBCASE("forward") { CHECK(jvp(h, {{tape.use(weight), Array::scalar(1)}}).item() == T); }
}

TEST_CASE("a softmax row sums to 1 and its gradient to 0, at any size of the logits") {
  Tape tape;
  for (const double scale : {1.0, 100.0, 1e4}) {
    CAPTURE(scale);
    const Var x = tape.input(spread({5, 7}, -scale, scale));
    const Var y = softmax(x);
    CHECK(close(sum(y, {-1}).value(), Array::filled({5}, 1, DType::f64), 1e-14, 0));
    const Gradients gradients = backward(y, {.cotangent = spread({5, 7}, -1, 1, 3)});
    for (std::int64_t row = 0; row < 5; ++row) {
      double total = 0;
      for (std::int64_t column = 0; column < 7; ++column) total += gradients[x].at({row, column});
      CHECK(std::abs(total) < 1e-14);
    }
    CHECK(close(exp(log_softmax(x)).value(), y.value(), 1e-12, 1e-12));
    CHECK(close(logsumexp(x + scale, {-1}).value(), (logsumexp(x, {-1}) + scale).value(), 0, 1e-14));
  }
}

TEST_CASE("masked rows count neither in cross_entropy nor in its gradient") {
  Tape tape;
  const std::int64_t targets[] = {0, 1, 1}, some[] = {0, 1};
  const double mask[] = {1, 0, 1}, none[] = {0, 0, 0};
  const Array rows(Shape{3, 2}, {0.1, 0.7, 9, -9, 0.4, -0.3}), kept(Shape{2, 2}, {0.1, 0.7, 0.4, -0.3});
  const Var x = tape.input(rows), y = tape.input(kept);
  const Var masked = cross_entropy(x, targets, mask), plain = cross_entropy(y, some);
  CHECK(masked.item() == doctest::Approx(plain.item()).epsilon(1e-15));
  const Gradients gradients = backward(masked), expected = backward(plain);
  for (std::int64_t column = 0; column < 2; ++column) {
    CHECK(gradients[x].at({0, column}) == doctest::Approx(expected[y].at({0, column})).epsilon(1e-14));
    CHECK(gradients[x].at({1, column}) == 0);
    CHECK(gradients[x].at({2, column}) == doctest::Approx(expected[y].at({1, column})).epsilon(1e-14));
  }
  const Var nothing = cross_entropy(x, targets, none);
  CHECK(nothing.item() == 0);
  CHECK(close(backward(nothing)[x], Array({3, 2}, DType::f64), 0, 0));
}

}  // namespace unroll::test
