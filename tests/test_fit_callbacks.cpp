#include "fit_support.hpp"

#include <unroll/optim/callbacks.hpp>
#include <unroll/optim/early_stopping.hpp>
#include <unroll/optim/progress_line.hpp>
#include <unroll/optim/schedules.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

// The ready-made callbacks and schedules of the training loop.

namespace unroll::test {

namespace {

// A weight that falls by 1 with every update: after update k it is -k.
struct Countdown {
  Parameter w{"w", Array({1}, {0.0})};
  SGD sgd{{w}, {.learning_rate = 1}};

  FitResult train(const FitOptions& options) {
    return fit([this](Tape& tape, std::int64_t) { return sum(tape.use(w)); }, sgd, options);
  }
};

// Measures as written down, one after the other.
std::function<double()> script(std::vector<double> measures) {
  return [measures = std::move(measures), i = std::size_t{0}]() mutable { return measures.at(i++); };
}

std::string written(const std::function<void(std::FILE*)>& write) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  write(file);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("schedules: their values at known fractions") {
  CHECK(schedules::constant()(0.7) == 1);
  CHECK(schedules::linear()(0) == 1);
  CHECK(schedules::linear()(0.75) == 0.25);
  const auto cosine = schedules::cosine();
  CHECK(cosine(0) == 1);
  CHECK(cosine(1.0 / 3) == doctest::Approx(0.75));
  CHECK(cosine(0.5) == doctest::Approx(0.5));
  CHECK(cosine(1) == doctest::Approx(0));
  const auto step = schedules::step({0.5, 0.75}, 0.5);
  CHECK(step(0.49) == 1);
  CHECK(step(0.5) == 0.5);
  CHECK(step(0.9) == 0.25);
  const auto warm = schedules::warm_up(0.5, schedules::linear());
  CHECK(warm(0) == 0);
  CHECK(warm(0.25) == 0.5);
  CHECK(warm(0.5) == 1);
  CHECK(warm(0.75) == 0.5);
  CHECK(schedules::warm_up(0.1)(0.6) == 1);
}

TEST_CASE("schedules: fractions and factors that make no sense are refused") {
  CHECK_THROWS_WITH_AS(schedules::step({1.5}, 0.1), "schedules::step: fraction 1.5, expected 0 to 1", Error);
  CHECK_THROWS_WITH_AS(schedules::step({0.5}, -1), "schedules::step: factor -1, expected at least 0", Error);
  CHECK_THROWS_WITH_AS(schedules::warm_up(0), "schedules::warm_up: share 0, expected more than 0 and less than 1",
                       Error);
  CHECK_THROWS_AS(schedules::warm_up(1), Error);
}

TEST_CASE("callbacks: a training stops when it is asked to and when its time is over") {
  Countdown a, b, c;
  int asked = 0;
  CHECK(a.train({.updates = 9, .callbacks = {stop_when([&] { return ++asked == 3; })}}).update == 3);
  CHECK(b.train({.updates = 9, .callbacks = {stop_after(0)}}).update == 1);
  CHECK(c.train({.updates = 9, .callbacks = {stop_after(1e6)}}).end == FitEnd::finished);
}

TEST_CASE("early stopping: it waits as long as it is told and the best parameters come back") {
  Countdown task;
  EarlyStopping early({task.w}, script({5, 3, 4, 3, 9, 1}), {.every = 2, .patience = 3});
  FitOptions options{.updates = 100};
  early.add_to(options);
  const FitResult result = task.train(options);
  CHECK(result.end == FitEnd::stopped);
  CHECK(result.update == 10);  // the best was the second measurement, and three came after it
  CHECK(early.best() == 3);
  CHECK(early.best_update() == 4);
  CHECK(task.w.value().item() == -10);
  early.restore();
  CHECK(task.w.value().item() == -4);
}

TEST_CASE("early stopping: without patience the best is kept to the end and the last update is measured") {
  Countdown task;
  EarlyStopping early({task.w}, script({4, nan, 5, 2}), {.every = 3, .patience = 0});
  FitOptions options{.updates = 10};
  early.add_to(options);
  CHECK(task.train(options).end == FitEnd::finished);
  CHECK(early.best_update() == 10);
  CHECK(early.best() == 2);
}

TEST_CASE("early stopping: a measurement that is hardly better or NaN does not count as better") {
  Countdown task;
  EarlyStopping early({task.w}, script({4, 3.9, nan}), {.every = 1, .patience = 2, .at_least = 0.5});
  FitOptions options{.updates = 10};
  early.add_to(options);
  CHECK(task.train(options).update == 3);
  CHECK(early.best() == 4);
}

TEST_CASE("early stopping: a resumed training stops where an uninterrupted one does and has the same best") {
  const TemporaryFolder folder("unroll-early");
  // the held-out loss of a fixed item; the rate is large so that it does not only fall
  const auto train = [&](std::int64_t kill, const std::filesystem::path& save) {
    SmallTask task(11, [](const auto& p) { return std::make_unique<Adam>(p, AdamOptions{.learning_rate = 0.3}); });
    EarlyStopping early(task.parameters(),
                        [&] {
                          Tape tape;
                          const Var x = tape.constant(Array::filled({3, 2, 2}, 0.5));
                          return mean(square(task.readout(over_time(task.lstm, x).state.h) - 0.25)).item();
                        },
                        {.every = 1, .patience = 4});
    FitOptions options{.updates = 60, .save = save, .save_every = 3};
    early.add_to(options);
    options.callbacks.emplace_back([=](const FitState& state) -> bool {
      if (state.update == kill) throw Error("killed");
      return true;
    });
    FitResult result;
    try {
      result = task.train(options);
    } catch (const Error&) { return std::string("killed"); }
    early.restore();
    CHECK(result.end == FitEnd::stopped);
    return std::to_string(result.update) + " " + std::to_string(early.best_update()) + " " +
           std::to_string(early.best()) + task.bits();
  };
  const std::string whole = train(0, {});
  const std::int64_t updates = std::stoi(whole);
  REQUIRE(updates > 6);  // a save at 3 or later, while it waits
  for (std::int64_t kill = 1; kill <= updates; ++kill) {
    std::filesystem::remove(folder / "save");
    CHECK(train(kill, folder / "save") == "killed");
    CHECK(train(0, folder / "save") == whole);
  }
}

TEST_CASE("early stopping: what makes no sense is refused") {
  const Parameter w("w", Array({1}, {0.0}));
  const auto one = [] { return 1.0; };
  CHECK_THROWS_WITH_AS(EarlyStopping({w}, {}), "early stopping: the measure is an empty function", Error);
  CHECK_THROWS_WITH_AS(EarlyStopping({w}, one, {.every = 0}), "early stopping: every is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(EarlyStopping({w}, one, {.patience = -1}), "early stopping: patience is -1, expected at least 0",
                       Error);
  CHECK_THROWS_WITH_AS(EarlyStopping({w}, one, {.at_least = nan}),
                       "early stopping: at_least is nan, expected at least 0", Error);
  EarlyStopping early({w}, one);
  CHECK_THROWS_WITH_AS(early.restore(), "early stopping: nothing was measured that could be the best", Error);
}

TEST_CASE("progress line: one line for each tenth of the way where there is no terminal") {
  Countdown task;
  const std::string text =
      written([&](std::FILE* out) { task.train({.updates = 40, .callbacks = {progress_line({}, out)}}); });
  CHECK(std::count(text.begin(), text.end(), '\n') == 10);
  CHECK(text.starts_with("update 4 of 40   10%  loss "));
  CHECK(text.find("gradient 1 ") != std::string::npos);
  CHECK(text.find("update 40 of 40  100%") != std::string::npos);
  CHECK(text.ends_with(" in all\n"));
  const std::string own = written([&](std::FILE* out) {
    task.train(
        {.updates = 10,
         .callbacks = {progress_line([](const FitState& s) { return "<" + std::to_string(s.update) + ">"; }, out)}});
  });
  CHECK(own.find("<7>") != std::string::npos);
}

TEST_CASE("progress line: what is left is reckoned from where this run began") {
  // from 0.4 on, so nothing is known of the pace of the first 0.4: at 0.5 five times as much is left as is done
  const std::string text = written([](std::FILE* out) {
    ProgressLine line(out);
    while (line.seconds() < 0.35) {}
    line.print(0.5, 0.4, "", "x");
  });
  CHECK(text == " 50%  x  0:02 left\n");
}

}  // namespace unroll::test
