#include "fit_support.hpp"

#include <unroll/core/ops/ops.hpp>
#include <unroll/optim/clipping.hpp>

#include <doctest/doctest.h>

// The training loop: what an update does and in which order, and what it leaves behind.

namespace unroll::test {

namespace {

// The least squares of one weight: the gradient of (w - 3)^2 is 2 (w - 3).
Var distance(Tape& tape, const Parameter& w) { return sum(square(tape.use(w) - 3)); }

}  // namespace

TEST_CASE("fit: equal seeds give equal bits and another seed gives others") {
  SmallTask a(1), b(1), c(2);
  a.train({});
  b.train({});
  c.train({});
  CHECK(a.bits() == b.bits());
  CHECK(a.bits() != c.bits());
}

TEST_CASE("fit: the same bits as the loop written by hand") {
  SmallTask by_fit(5), by_hand(5);
  by_fit.train({.updates = 7, .clip = 0.05});
  Tape tape;
  for (std::int64_t update = 0; update < 7; ++update) {
    tape.clear();
    const Var loss = by_hand.loss(tape);
    Gradients gradients = backward(loss);
    clip_by_norm(gradients, 0.05);
    by_hand.optimizer->step(gradients);
  }
  CHECK(by_fit.bits() == by_hand.bits());
}

TEST_CASE("fit: an update clips by the limit and steps at the rate of the schedule") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w}, {.learning_rate = 0.5});
  std::vector<double> norms, rates, weights;
  const FitResult result = fit(
      [&](Tape& tape, std::int64_t) { return distance(tape, w); }, sgd,
      {.updates = 4, .clip = 1, .schedule = [](double x) { return 1 - x; }, .callbacks = {[&](const FitState& state) {
                                                                              norms.push_back(state.gradient_norm);
                                                                              rates.push_back(state.learning_rate);
                                                                              weights.push_back(w.value().item());
                                                                              return true;
                                                                            }}});
  CHECK(rates == std::vector<double>{0.5, 0.375, 0.25, 0.125});
  CHECK(weights == std::vector<double>{0.5, 0.875, 1.125, 1.25});  // every gradient is clipped to -1
  CHECK(norms == std::vector<double>{6, 5, 4.25, 3.75});           // of before
  CHECK(sgd.options.learning_rate == 0.5);                         // its own again
  CHECK(result.end == FitEnd::finished);
  CHECK(result.update == 4);
  CHECK(result.resumed_from == 0);
  CHECK(result.loss == 1.875 * 1.875);
}

TEST_CASE("fit: without clip no gradient is changed") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w}, {.learning_rate = 0.25});
  fit([&](Tape& tape, std::int64_t) { return distance(tape, w); }, sgd, {.updates = 1});
  CHECK(w.value().item() == 1.5);
}

TEST_CASE("fit: the loss is recorded with updates 0 1 2 and callbacks see each update in order") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w});
  std::vector<std::string> events;
  const auto note = [&](const std::string& who) {
    return [&events, who](const FitState& state) {
      events.push_back(who + std::to_string(state.update));
      CHECK(state.updates == 3);
      CHECK(state.recorded_loss.item() == state.loss);
      CHECK(&state.recorded_loss.tape() == state.tape);
      return true;
    };
  };
  fit(
      [&](Tape& tape, std::int64_t update) {
        events.push_back("loss" + std::to_string(update));
        return distance(tape, w);
      },
      sgd, {.updates = 3, .callbacks = {note("a"), note("b")}});
  CHECK(events == std::vector<std::string>{"loss0", "a1", "b1", "loss1", "a2", "b2", "loss2", "a3", "b3"});
}

TEST_CASE("fit: a callback that says false ends the training after all have seen the update") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w});
  int seen = 0;
  const FitResult result = fit([&](Tape& tape, std::int64_t) { return distance(tape, w); }, sgd,
                               {.updates = 10,
                                .callbacks = {[](const FitState& state) { return state.update < 4; },
                                              [&](const FitState&) { return ++seen > 0; }}});
  CHECK(result.end == FitEnd::stopped);
  CHECK(result.update == 4);
  CHECK(seen == 4);
}

TEST_CASE("fit: the mean loss moves by a tenth towards each new loss") {
  const Parameter w("w", Array({1}, {1.0}));
  SGD sgd({w}, {.learning_rate = 0});
  const std::vector<double> factors{1, 3, 2};
  const FitResult result =
      fit([&](Tape& tape, std::int64_t update) { return sum(tape.use(w) * factors[static_cast<std::size_t>(update)]); },
          sgd, {.updates = 3});
  CHECK(result.mean_loss == doctest::Approx(0.9 * (0.9 * 1 + 0.1 * 3) + 0.1 * 2));
  CHECK(result.loss == 2);
}

TEST_CASE("fit: a callback that throws ends the training and leaves its last update whole") {
  SmallTask whole(3), thrown(3);
  whole.train({.updates = 5});
  CHECK_THROWS_WITH_AS(
      thrown.train({.updates = 9, .schedule = [](double) { return 1.0; }, .callbacks = {[](const FitState& state) {
                                                                            if (state.update == 5)
                                                                              throw std::runtime_error("enough");
                                                                            return true;
                                                                          }}}),
      "enough", std::runtime_error);
  CHECK(thrown.bits() == whole.bits());
  CHECK(thrown.optimizer->learning_rate() == whole.optimizer->learning_rate());
}

TEST_CASE("fit: the backward pass keeps what was asked of it for the callbacks") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w});
  std::vector<bool> has_inner;
  fit([&](Tape& tape, std::int64_t) { return distance(tape, w); }, sgd,
      {.updates = 4,
       .callbacks = {[&](const FitState& state) {
         has_inner.push_back(state.gradients->contains(state.recorded_loss));
         return true;
       }},
       .backward = [](Var, std::int64_t update) {
         return BackwardOptions{.keep = update % 2 == 0 ? Keep::all : Keep::leaves};
       }});
  CHECK(has_inner == std::vector<bool>{false, true, false, true});
}

TEST_CASE("fit: memory does not grow with the updates") {
  SmallTask task(1);
  std::vector<std::size_t> bytes;
  task.train({.updates = 40, .callbacks = {[&](const FitState& state) {
                               bytes.push_back(state.tape->bytes_reserved());
                               return true;
                             }}});
  CHECK(bytes[5] > 0);
  CHECK(bytes[39] == bytes[5]);
}

TEST_CASE("fit: options that make no sense are refused before anything is trained") {
  const Parameter w("w", Array({1}, {0.0}));
  SGD sgd({w});
  const FitLoss loss = [&](Tape& tape, std::int64_t) { return distance(tape, w); };
  CHECK_THROWS_WITH_AS(fit(loss, sgd, {}), "fit: updates is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(fit({}, sgd, {.updates = 1}), "fit: the loss is an empty function", Error);
  CHECK_THROWS_WITH_AS(fit(loss, sgd, {.updates = 1, .clip = -1}),
                       "fit: clip is -1, expected 0 (none) or a positive number", Error);
  CHECK_THROWS_WITH_AS(fit(loss, sgd, {.updates = 1, .save = "x", .save_every = 0}),
                       "fit: save_every is 0, expected at least 1", Error);
  Tape other;
  CHECK_THROWS_WITH_AS(fit([&](Tape&, std::int64_t) { return distance(other, w); }, sgd, {.updates = 1}),
                       "fit: the loss was recorded on another tape than the one that was given", TapeError);
  CHECK(w.version() == 0);
}

}  // namespace unroll::test
