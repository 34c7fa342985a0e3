#include "layers_support.hpp"

#include <unroll/layers/losses.hpp>

#include <cmath>

// Mean squared error, and cross-entropy over time with masks.

namespace unroll::test {

namespace {

using Targets = std::vector<std::int64_t>;
using Mask = std::vector<double>;

// Logits of two steps with two rows each: the classes of the rows have the probabilities (1, 2, 1) / 4, (8, 1, 1) / 10,
// (1, 1, 2) / 4 and (1, 1, 1) / 3.
std::vector<Var> two_steps(Tape& tape) {
  const double ln2 = std::log(2.0), ln8 = std::log(8.0);
  return {tape.input(Array({2, 3}, {0, ln2, 0, ln8, 0, 0})), tape.input(Array({2, 3}, {5, 5, 5 + ln2, -1, -1, -1}))};
}

Var zeros(Tape& tape, Shape shape) { return tape.input(Array(std::move(shape), DType::f64)); }

}  // namespace

TEST_CASE("mse is the mean over all elements, and its gradient is 2 (prediction - target) / n") {
  Tape tape;
  const Var prediction = tape.input(Array({2, 2}, {1, 2, 3, 4})), target = tape.input(Array({2, 2}, {1, 0, 6, 4}));
  const Var loss = mse(prediction, target);
  CHECK(loss.item() == 3.25);
  const Gradients gradients = backward(loss);
  CHECK(close(gradients[prediction], Array({2, 2}, {0, 1, -1.5, 0}), 0, 0));
  CHECK(close(gradients[target], Array({2, 2}, {0, -1, 1.5, 0}), 0, 0));
}

TEST_CASE("mse refuses shapes that would only broadcast") {
  Tape tape;
  CHECK_THROWS_WITH_AS(mse(zeros(tape, {3, 1}), zeros(tape, {3})),
                       "mse: the prediction has shape (3, 1), the target (3)", ShapeError);
  CHECK_THROWS_WITH_AS(mse(zeros(tape, {2, 3}), zeros(tape, {})), "mse: the prediction has shape (2, 3), the target ()",
                       ShapeError);
}

TEST_CASE("cross-entropy over time is the mean of -log p over steps and rows") {
  Tape tape;
  const Targets targets{1, 0, 0, 2};  // of probability 1/2, 4/5, 1/4, 1/3: step after step, row within step
  CHECK(cross_entropy(two_steps(tape), targets).item() ==
        doctest::Approx(std::log(2 * 1.25 * 4 * 3) / 4).epsilon(1e-14));
}

TEST_CASE("rows with mask 0 count neither in the mean nor in the gradient") {
  Tape tape;
  const std::vector<Var> logits = two_steps(tape);
  const Var loss = cross_entropy(logits, Targets{1, 0, 0, 2}, Mask{1, 0, 0, 1});
  CHECK(loss.item() == doctest::Approx(std::log(2.0 * 3) / 2).epsilon(1e-14));
  const Gradients gradients = backward(loss);
  // half of (probability - 1 for the target, probability for the others) in the rows that count
  CHECK(close(gradients[logits[0]], Array({2, 3}, {0.125, -0.25, 0.125, 0, 0, 0}), 1e-15, 0));
  CHECK(close(gradients[logits[1]], Array({2, 3}, {0, 0, 0, 1. / 6, 1. / 6, -1. / 3}), 1e-15, 0));
}

TEST_CASE("a masked row may hold numbers of any size: they do not leak into the loss") {
  Tape tape;
  const Var logits = tape.input(Array({2, 2}, {0, 0, -1e300, 1e300}));
  const Var loss = cross_entropy({logits}, Targets{0, 0}, Mask{1, 0});
  CHECK(loss.item() == doctest::Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(close(backward(loss)[logits], Array({2, 2}, {-0.5, 0.5, 0, 0}), 1e-15, 0));
}

TEST_CASE("a mask of weights gives the weighted mean, and a mask of zeros gives 0") {
  Tape tape;
  CHECK(cross_entropy(two_steps(tape), Targets{1, 0, 0, 2}, Mask{3, 0, 0, 1}).item() ==
        doctest::Approx((3 * std::log(2.0) + std::log(3.0)) / 4).epsilon(1e-14));
  const std::vector<Var> logits = two_steps(tape);
  const Var nothing = cross_entropy(logits, Targets{1, 0, 0, 2}, Mask{0, 0, 0, 0});
  CHECK(nothing.item() == 0);
  CHECK(close(backward(nothing)[logits[0]], Array({2, 3}, DType::f64), 0, 0));
}

TEST_CASE("logits far apart give a large loss, not an infinite one") {
  Tape tape;
  CHECK(cross_entropy({tape.input(Array({1, 2}, {1000, -1000}))}, Targets{1}).item() == 2000);
}

TEST_CASE("cross-entropy refuses targets and masks that do not fit, and says which") {
  Tape tape;
  const std::vector<Var> logits{zeros(tape, {2, 3}), zeros(tape, {2, 3})};
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Targets{0, 1, 2}),
                       doctest::Contains("cross_entropy: (2, 2, 3): 3 targets for 4 rows of logits"), ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Targets{0, 1, 2, 3}),
                       doctest::Contains("cross_entropy: (2, 2, 3): target 3 is 3, expected a class from 0 to 2"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Targets{0, -1, 2, 2}),
                       doctest::Contains("target 1 is -1, expected a class from 0 to 2"), ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Targets{0, 1, 2, 1}, Mask{1}),
                       doctest::Contains("cross_entropy: (2, 2, 3): a mask of 1 entries for 4 rows of logits"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, Targets{0, 1, 2, 1}, Mask{1, 1, -1, 1}),
                       doctest::Contains("mask entry 2 is -1, expected 0 or more"), ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy({zeros(tape, {2, 3}), zeros(tape, {1, 3})}, Targets{0, 1, 2}),
                       doctest::Contains("stack: (2, 3) x (1, 3): part 1 has another shape than part 0"), ShapeError);
}

}  // namespace unroll::test
