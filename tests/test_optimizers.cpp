#include "optimizers_support.hpp"
#include "support.hpp"

#include <unroll/optim/clipping.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

// Update rules against PyTorch's, clipping, and what a step does to a tape.

namespace unroll::test {

namespace {

using nlohmann::json;

Array row(const Array& a, std::size_t i) {
  const auto width = static_cast<std::size_t>(a.shape()[1]);
  Array result({a.shape()[1]}, DType::f64);
  for (std::size_t j = 0; j < width; ++j) result.set_flat(j, a.flat(i * width + j));
  return result;
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("every optimiser takes PyTorch's steps") {
  Tape tape;
  const json cases = fixture("optimizers.json");
  REQUIRE(cases.size() == 8);
  for (const json& c : cases)
    for (const DType dtype : {DType::f64, DType::f32}) {
      const std::string name = c.at("name");
      INFO(name, " in ", to_string(dtype));
      const Array gradients = tensor(c.at("gradients")), steps = tensor(c.at("steps"));
      const Parameter w("w", tensor(c.at("parameter")).as(dtype));
      const auto optimizer = pytorch_optimizer(c.at("optimizer"), c.at("options"), {w});
      for (std::size_t t = 0; t < static_cast<std::size_t>(steps.shape()[0]); ++t) {
        INFO("step ", t + 1);
        optimizer->step(gradients_of(tape, {w}, {row(gradients, t).as(dtype)}));
        CHECK(w.dtype() == dtype);
        if (dtype == DType::f64)
          CHECK(close(w.value(), row(steps, t), 1e-12, 1e-12));
        else
          CHECK(close(w.value(), row(steps, t), 1e-6, 1e-6));
      }
    }
}

TEST_CASE("an optimiser remembers each of its parameters by itself") {
  Tape tape;
  const Array first({2}, {1, -2}), second({2}, {0.25, 8});
  const Parameter a("a", Array({2}, {1, 1})), b("b", Array({2}, {1, 1}));
  const Parameter alone_a("a", Array({2}, {1, 1})), alone_b("b", Array({2}, {1, 1}));
  Adam together({a, b}), only_a({alone_a}), only_b({alone_b});
  for (int t = 0; t < 3; ++t) {
    together.step(gradients_of(tape, {a, b}, {first, second}));
    only_a.step(gradients_of(tape, {alone_a}, {first}));
    only_b.step(gradients_of(tape, {alone_b}, {second}));
  }
  CHECK(same_bits(a.value(), alone_a.value()));
  CHECK(same_bits(b.value(), alone_b.value()));
}

TEST_CASE("a parameter without a gradient stays as it is, weight decay or not") {
  Tape tape;
  const Parameter used("used", Array({1}, {1.0})), unused("unused", Array({1}, {2.0}));
  const Gradients gradients = gradients_of(tape, {used}, {Array({1}, {1.0})});
  SGD({used, unused}, {.weight_decay = 0.5}).step(gradients);
  AdamW({used, unused}).step(gradients);
  CHECK(used.value().item() != 1);
  CHECK(unused.value().item() == 2);
  CHECK(unused.version() == 0);
}

TEST_CASE("a gradient of zero is a gradient: momentum moves on") {
  Tape tape;
  const Parameter w("w", Array({1}, {0.0}));
  SGD optimizer({w}, {.learning_rate = 1, .momentum = 0.5});
  optimizer.step(gradients_of(tape, {w}, {Array({1}, {1.0})}));
  optimizer.step(gradients_of(tape, {w}, {Array({1}, {0.0})}));
  CHECK(w.value().item() == -1.5);
}

TEST_CASE("the learning rate can be changed between steps") {
  Tape tape;
  const Parameter w("w", Array({1}, {0.0}));
  SGD optimizer({w}, {.learning_rate = 1});
  optimizer.step(gradients_of(tape, {w}, {Array({1}, {1.0})}));
  optimizer.options.learning_rate = 0.25;
  optimizer.step(gradients_of(tape, {w}, {Array({1}, {1.0})}));
  CHECK(w.value().item() == -1.25);
}

TEST_CASE("recorded gradients serve an optimiser as well") {
  Tape tape;
  const Parameter w("w", Array({2, 3}, {1, 2, 3, 4, 5, 6}));
  // the gradient of a sum of rows is a broadcast: a view without memory of its own
  const Gradients gradients =
      backward(sum(sum(tape.use(w), {0}) * tape.constant(Array({3}, {1, 10, 100}))), {.create_graph = true});
  SGD({w}, {.learning_rate = 1}).step(gradients);
  CHECK(close(w.value(), Array({2, 3}, {0, -8, -97, 3, -5, -94}), 0, 0));
}

TEST_CASE("gradients of another shape than the parameter has by now are refused") {
  Tape tape;
  Parameter w("w", Array({3}, {1, 2, 3}));
  SGD optimizer({w});
  const Gradients gradients = gradients_of(tape, {w}, {Array({3}, {1, 1, 1})});
  w.mutable_value() = Array({2}, {1, 2});
  CHECK_THROWS_AS(optimizer.step(gradients), ShapeError);
}

TEST_CASE("a parameter that is listed twice, as tied weights are, moves once a step") {
  Tape tape;
  const Parameter w("w", Array({1}, {0.0}));
  SGD optimizer({w, w}, {.learning_rate = 1});
  optimizer.step(gradients_of(tape, {w}, {Array({1}, {1.0})}));
  CHECK(w.value().item() == -1);
}

TEST_CASE("after a step the tape's backward pass is refused until it is recorded anew") {
  Tape tape;
  const Parameter w("w", Array({1}, {2.0}));
  const Var loss = square(tape.use(w));
  SGD optimizer({w}, {.learning_rate = 0.25});
  optimizer.step(backward(sum(loss)));
  CHECK_THROWS_WITH_AS(backward(sum(loss)),
                       "parameter w has changed since it was recorded: take the gradient before the optimiser's step, "
                       "and record the next step on a cleared tape",
                       GradientError);
  tape.clear();
  const Gradients next = backward(sum(square(tape.use(w))));
  CHECK(next[w].item() == 2);  // 2 w, and w is 2 - 0.25 * 4 by now
}

TEST_CASE("clipping by norm scales all parameters' gradients by one factor and returns the norm of before") {
  Tape tape;
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Parameter a("a", Array({1}, dtype)), b("b", Array({2}, dtype));
    Gradients gradients = gradients_of(tape, {a, b}, {Array({1}, {3.0}, dtype), Array({2}, {0, -4}, dtype)});
    CHECK(clip_by_norm(gradients, 1) == doctest::Approx(5).epsilon(1e-12));
    CHECK(close(gradients[a], Array({1}, {0.6}), 1e-7, 0));
    CHECK(close(gradients[b], Array({2}, {0, -0.8}), 1e-7, 0));
    CHECK(clip_by_norm(gradients, 2) == doctest::Approx(1));
  }
}

TEST_CASE("clipping by value moves each element to the nearer bound and returns the norm of before") {
  Tape tape;
  for (const DType dtype : {DType::f64, DType::f32}) {
    const Parameter a("a", Array({4}, dtype));
    Gradients gradients = gradients_of(tape, {a}, {Array({4}, {1, -1, 5, -3}, dtype)});
    CHECK(clip_by_value(gradients, 1.5) == 6);
    CHECK(close(gradients[a], Array({4}, {1, -1, 1.5, -1.5}), 0, 0));
  }
}

TEST_CASE("gradients at or below the limit are left alone to the bit") {
  Tape tape;
  const Parameter a("a", Array({2}, DType::f64));
  const Array values({2}, {3, -4});
  Gradients gradients = gradients_of(tape, {a}, {values});
  CHECK(clip_by_norm(gradients, 5) == 5);
  CHECK(clip_by_norm(gradients, 10) == 5);
  CHECK(clip_by_value(gradients, 4) == 5);
  CHECK(clip_by_value(gradients, 10) == 5);
  CHECK(same_bits(gradients[a], values));
}

TEST_CASE("the gradient of an input neither counts in the norm nor is clipped") {
  Tape tape;
  const Parameter w("w", Array({1}, {100.0}));
  const Var x = tape.input(Array({1}, {3.0}));
  Gradients gradients = backward(sum(tape.use(w) * x));
  CHECK(clip_by_norm(gradients, 1) == 3);
  CHECK(gradients[w].item() == doctest::Approx(1));
  CHECK(gradients[x].item() == 100);
}

TEST_CASE("a gradient that is not finite is reported by the norm, and then nothing is clipped") {
  Tape tape;
  const Parameter a("a", Array({2}, DType::f64)), b("b", Array({1}, DType::f64));
  for (const double bad : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    const Array values({2}, {1e6, bad});
    Gradients gradients = gradients_of(tape, {a, b}, {values, Array({1}, {1e6})});
    CHECK_FALSE(std::isfinite(clip_by_norm(gradients, 1)));
    CHECK_FALSE(std::isfinite(clip_by_value(gradients, 1)));
    CHECK(close(gradients[a], values, 0, 0));
    CHECK(gradients[b].item() == 1e6);
  }
}

TEST_CASE("clipped gradients are what the optimiser then uses") {
  Tape tape;
  const Parameter w("w", Array({2}, DType::f64));
  Gradients gradients = gradients_of(tape, {w}, {Array({2}, {30, 40})});
  clip_by_norm(gradients, 1);
  SGD({w}, {.learning_rate = 1}).step(gradients);
  CHECK(close(w.value(), Array({2}, {-0.6, -0.8}), 1e-15, 0));
}

TEST_CASE("clipping refuses recorded gradients, and limits that are not positive") {
  Tape tape;
  const Parameter w("w", Array({1}, {1.0}));
  Gradients recorded = gradients_of(tape, {w}, {Array({1}, {3.0})}, true);
  CHECK_THROWS_WITH_AS(clip_by_norm(recorded, 1),
                       "clip_by_norm: these gradients are nodes of the tape (create_graph): take unrecorded ones",
                       GradientError);
  CHECK_THROWS_WITH_AS(clip_by_value(recorded, 1),
                       "clip_by_value: these gradients are nodes of the tape (create_graph): take unrecorded ones",
                       GradientError);
  Gradients gradients = gradients_of(tape, {w}, {Array({1}, {3.0})});
  CHECK_THROWS_WITH_AS(clip_by_norm(gradients, 0), "clip_by_norm: the limit is 0, expected a positive number",
                       ShapeError);
  CHECK_THROWS_WITH_AS(clip_by_value(gradients, -1), "clip_by_value: the limit is -1, expected a positive number",
                       ShapeError);
  CHECK_THROWS_WITH_AS(clip_by_norm(gradients, std::nan("")),
                       "clip_by_norm: the limit is nan, expected a positive number", ShapeError);
}

}  // namespace unroll::test
