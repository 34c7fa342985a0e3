#include "layers_support.hpp"

#include <unroll/core/array/finite.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/padded_batch.hpp>
#include <unroll/layers/running_steps.hpp>

#include <cmath>
#include <limits>

// Mean squared error and cross-entropy over time, with masks, and the batches that need them.

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

TEST_CASE("a masked row may hold NaN: neither the loss nor its gradient has it") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool create_graph : {false, true}) {
    Tape tape;
    const Var logits = tape.input(Array({2, 2}, {0, 0, nan, nan}));
    const Var loss = cross_entropy({logits}, Targets{0, 0}, Mask{1, 0});
    CHECK(loss.item() == doctest::Approx(std::log(2.0)).epsilon(1e-15));
    CHECK(close(backward(loss, {.create_graph = create_graph})[logits], Array({2, 2}, {-0.5, 0.5, 0, 0}), 1e-15, 0));
  }
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

TEST_CASE("masked mse: the mean is over the elements of the rows that count, and the others have no gradient") {
  Tape tape;
  // (time, batch, feature) = (2, 2, 1): squared differences 1, 4, 9 and 16
  const Var prediction = tape.input(Array({2, 2, 1}, {1, 2, 3, 4})),
            target = tape.constant(Array({2, 2, 1}, DType::f64));
  const Var loss = mse(prediction, target, Array({2, 2}, {1, 0, 1, 0}));
  CHECK(loss.item() == 5);
  CHECK(close(backward(loss)[prediction], Array({2, 2, 1}, {1, 0, 3, 0}), 1e-15, 0));
  CHECK(mse(prediction, target, Array({2, 2, 1}, {1, 1, 1, 1})).item() == mse(prediction, target).item());
  CHECK(mse(prediction, target, Array({2}, {0, 1})).item() == 12.5);  // a mask of the first axis
  CHECK(mse(prediction, target, Array({2, 2}, {3, 1, 0, 0}, DType::f32)).item() == (3 * 1 + 4) / 4.0);
  const Var wide = tape.input(Array({2, 2}, {1, 2, 3, 5}));
  CHECK(mse(wide, tape.constant(Array({2, 2}, DType::f64)), Array({2}, {0, 1})).item() == 17);
  const Var row = tape.input(Array({1, 3}, {1, 2, 4}));
  CHECK(mse(row, tape.constant(Array({1, 3}, DType::f64)), Array({1}, {1})).item() == 7);  // one entry for all
}

TEST_CASE("masked mse: what does not count may be NaN, and no row at all has the mean 0") {
  Tape tape;
  const Var prediction = tape.input(Array({3}, {1, NAN, INFINITY})), target = tape.input(Array({3}, {3, 1, NAN}));
  const Var loss = mse(prediction, target, Array({3}, {1, 0, 0}));
  CHECK(loss.item() == 4);
  const Gradients gradients = backward(loss);
  CHECK(close(gradients[prediction], Array({3}, {-4, 0, 0}), 0, 0));
  CHECK(close(gradients[target], Array({3}, {4, 0, 0}), 0, 0));
  const Var nothing = mse(prediction, target, Array({3}, {0, 0, 0}));
  CHECK(nothing.item() == 0);
  CHECK(close(backward(nothing)[prediction], Array({3}, DType::f64), 0, 0));
}

TEST_CASE("masked mse refuses masks that do not fit, and says which") {
  Tape tape;
  const Var x = zeros(tape, {2, 3, 4});
  CHECK_THROWS_WITH_AS(mse(x, x, Array({3, 2}, DType::f64)),
                       "mse: the mask has shape (3, 2), expected the first axes of the prediction's (2, 3, 4)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mse(x, x, Array({3, 3}, DType::f64)),
                       "mse: the mask has shape (3, 3), expected the first axes of the prediction's (2, 3, 4)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mse(x, x, Array({2, 3, 4, 1}, DType::f64)),
                       "mse: the mask has shape (2, 3, 4, 1), expected the first axes of the prediction's (2, 3, 4)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mse(x, x, Array({2}, {1, -1})), "mse: mask entry 1 is -1, expected a finite number from 0 up",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mse(x, x, Array({2}, {NAN, 1})), "mse: mask entry 0 is nan, expected a finite number from 0 up",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mse(x, zeros(tape, {2, 3}), Array({2}, {1, 1})),
                       "mse: the prediction has shape (2, 3, 4), the target (2, 3)", ShapeError);
}

TEST_CASE("per sequence: every sequence has the same weight in the mean, however long it is") {
  Tape tape;
  // one sequence of two steps, with losses 2 and 4, and one of one step, with 9
  const Var prediction = tape.input(Array({2, 2}, {std::sqrt(2.0), 3, 2, NAN}));
  const Var target = tape.constant(Array({2, 2}, DType::f64));
  const Array mask = length_mask(std::vector<std::int64_t>{2, 1}, 2);
  CHECK(mse(prediction, target, mask).item() == doctest::Approx(5).epsilon(1e-14));
  CHECK(mse(prediction, target, per_sequence(mask)).item() == doctest::Approx(6).epsilon(1e-14));

  const std::vector<Var> logits =
      two_steps(tape);  // -log p: ln 2 and ln 4 of the first sequence, ln 1.25 of the second
  const Array weights = per_sequence(mask);
  CHECK(cross_entropy(logits, Targets{1, 0, 0, 0}, weights.span<double>()).item() ==
        doctest::Approx(((std::log(2.0) + std::log(4.0)) / 2 + std::log(1.25)) / 2).epsilon(1e-14));
  CHECK(close(per_sequence(Array({2, 2}, {1, 0, 1, 0})), Array({2, 2}, {0.5, 0, 0.5, 0}), 0, 0));
  CHECK(close(per_sequence(Array({1, 3}, {1, 0, 1})), Array({1, 3}, {1, 0, 1}), 0, 0));
  CHECK(close(per_sequence(Array({4, 1}, {1, 1, 1, 1})), Array({4, 1}, {0.25, 0.25, 0.25, 0.25}), 0, 0));
  CHECK_THROWS_WITH_AS(per_sequence(Array({2}, {1, 1})), "per_sequence: the mask has shape (2), expected (time, batch)",
                       ShapeError);
}

TEST_CASE("padded batch: sequences side by side with zeros behind, and their lengths") {
  const std::vector<Array> sequences{Array({1, 2}, {1, 2}), Array({3, 2}, {3, 4, 5, 6, 7, 8})};
  const PaddedBatch batch = padded_batch(sequences);
  CHECK(batch.lengths == std::vector<std::int64_t>{1, 3});
  CHECK(close(batch.x, Array({3, 2, 2}, {1, 2, 3, 4, 0, 0, 5, 6, 0, 0, 7, 8}), 0, 0));
  const std::vector<Array> one{Array({2, 3}, {1, 2, 3, 4, 5, 6})};
  CHECK(close(padded_batch(one).x, Array({2, 1, 3}, {1, 2, 3, 4, 5, 6}), 0, 0));
}

TEST_CASE("padded batch: what cannot be put side by side is refused, NaN among it, and the message says where") {
  using Sequences = std::vector<Array>;
  const Array good({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{}), "padded_batch: no sequences, expected at least one", ShapeError);
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{good, Array({0, 3}, DType::f64)}),
                       "padded_batch: sequence 1 has shape (0, 3), expected (length, 3) with at least one step",
                       ShapeError);
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{good, Array({2, 4}, DType::f64)}),
                       "padded_batch: sequence 1 has shape (2, 4), expected (length, 3) with at least one step",
                       ShapeError);
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{Array({2}, DType::f64)}),
                       "padded_batch: sequence 0 has shape (2), expected (length, feature) with at least one step",
                       ShapeError);
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{good, Array({2, 3}, DType::f32)}),
                       "padded_batch: sequence 1 is float32, expected float64 as the first", DTypeError);
  CHECK_THROWS_WITH_AS(padded_batch(Sequences{good, Array({1, 3}, {0, NAN, 0})}),
                       "padded_batch: sequence 1: element [0, 1] is nan, expected finite numbers", Error);
  CHECK_THROWS_WITH_AS(require_finite(Array({2, 2, 2}, {0, 0, 0, 0, 0, 0, -INFINITY, 0}), "series"),
                       "series: element [1, 1, 0] is -inf, expected finite numbers", Error);
  CHECK_NOTHROW(require_finite(good, "series"));
}

}  // namespace unroll::test
