#include "support.hpp"

#include <unroll/core/array/error.hpp>
#include <unroll/examples/reproduce/adding.hpp>
#include <unroll/examples/reproduce/exact.hpp>
#include <unroll/examples/reproduce/long_lag_1997.hpp>
#include <unroll/examples/reproduce/reach.hpp>
#include <unroll/examples/reproduce/reber_experiment.hpp>
#include <unroll/examples/reproduce/reproduce.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>

// The published experiments: the exact numbers, and the first moments of every training.

namespace unroll::test {

namespace {

using namespace unroll::reproduce;

std::map<std::string, double> numbers(const Report& report) {
  std::map<std::string, double> result;
  for (const Row& row : report.rows) result[row.what] = row.here.value();
  return result;
}

// A prediction that is right for every symbol but one: there `spoil` changes it.
Predictor planted(std::size_t where, const std::function<void(double legal[], double others[])>& spoil) {
  return [=](const ReberString& s) {
    Array rows({static_cast<std::int64_t>(s.symbols.size() - 1), 7}, DType::f64);
    for (std::size_t t = 0; t + 1 < s.symbols.size(); ++t) {
      double legal[] = {0.3}, others[] = {0.2};
      if (t == where) spoil(legal, others);
      for (std::size_t k = 0; k < 7; ++k)
        rows.set_flat(t * 7 + k, s.legal[t].find(reber_symbols[k]) != std::string::npos ? legal[0] : others[0]);
    }
    return rows;
  };
}

std::vector<double> progress_of(const std::function<void(const Progress&)>& run) {
  std::vector<double> fractions;
  run([&](std::string_view, double fraction) { fractions.push_back(fraction); });
  return fractions;
}

}  // namespace

TEST_CASE("reproduce exact: every number comes out as published") {
  const Report report = exact({.samples = 2000});
  CHECK(report.reproduced());
  const auto found = numbers(report);
  CHECK(found.size() == 14);
  CHECK(found.at("adding problem, always 1: MSE, exact integral") ==
        doctest::Approx(0.16666666666666667).epsilon(1e-13));
  CHECK(found.at("copy task without memory, T = 1000: cross-entropy 10 ln 8 / (T + 20)") ==
        doctest::Approx(0.02038668).epsilon(1e-6));
  CHECK(found.at("weights, embedded Reber grammar, 4 blocks of 1 cell") == 264);
  CHECK(found.at("weights, embedded Reber grammar, 3 blocks of 2 cells") == 276);
  CHECK(found.at("weights, two sequences") == 102);
  CHECK(found.at("weights, adding problem") == 93);
  CHECK(found.at("weights, temporal order, 4 classes") == 156);
  CHECK(found.at("weights, temporal order, 8 classes") == 308);
  CHECK(found.at("linear RNN, w = 0.5: dh_5/dx_1 = w^4") == 0.0625);
  CHECK(found.at("linear RNN, w = 3: dh_5/dx_1 = w^4") == 81);
  CHECK(found.at("LSTM, zero weights, forget bias 0: dc_100/dc_0 = 0.5^100") == std::ldexp(1.0, -100));
  CHECK(found.at("LSTM, zero weights, forget bias 1: dc_100/dc_0 = 0.7311^100") ==
        doctest::Approx(std::pow(0.7310585786300049, 100)).epsilon(1e-12));
}

TEST_CASE("a report is reproduced unless a row says no") {
  Report report{.name = "", .title = "", .source = "", .setting = {}, .criterion = ""};
  report.rows = {{"a", 1.0, 1.0, true}, {"b", {}, 2.0, {}}};
  CHECK(report.reproduced());
  report.rows.push_back({"c", 1.0, 2.0, false});
  CHECK(!report.reproduced());
}

TEST_CASE("spread: mean and ends and an error for no numbers") {
  const Spread s = spread({4, 1, 7});
  CHECK(s.mean == 4);
  CHECK(s.low == 1);
  CHECK(s.high == 7);
  CHECK_THROWS_WITH_AS(spread({}), "spread: there are no numbers", Error);
}

TEST_CASE("reproductions are found by name and a wrong name is told the right ones") {
  CHECK(find("reber").name == "reber");
  CHECK_THROWS_WITH_AS(find("Rebr"),
                       "there is no reproduction Rebr: choose exact, reber, adding, adding-1997, temporal-order, reach",
                       Error);
}

TEST_CASE("reber: the criterion wants every legal successor above all others after every symbol") {
  Generator generator(1);
  const auto strings = embedded_reber_strings(50, generator);
  CHECK(predicts_all(planted(1000, {}), strings));
  CHECK(!predicts_all(planted(3, [](double legal[], double[]) { legal[0] = 0.1; }), strings));
  CHECK(!predicts_all(planted(7, [](double[], double others[]) { others[0] = 0.3; }), strings));  // a tie is not above
  CHECK(!predicts_all(planted(0, [](double legal[], double[]) { legal[0] = NAN; }), strings));
}

TEST_CASE("reber: the paper's settings and both networks begin to learn and do so again to the bit") {
  CHECK(reber_settings().size() == 5);
  const ReberOptions few{.strings = 20, .sequences = 400, .check_every = 200};
  for (const int which : {0, 1, 2}) {
    const auto run = [&](std::uint64_t seed) {
      return which == 2 ? reber_trial_modern(few, seed)
                        : reber_trial_1997(reber_settings()[which == 0 ? 3 : 4], few, seed);
    };
    const ReberTrial first = run(1), again = run(1), other = run(2);
    CHECK(first.last_loss < first.first_loss);
    CHECK(first.last_loss == again.last_loss);
    CHECK(first.first_loss == again.first_loss);
    CHECK(first.last_loss != other.last_loss);
    CHECK(!first.sequences);
  }
}

TEST_CASE("reber: a trial ends when the strings are learned") {
  const ReberTrial trial = reber_trial_modern({.sequences = 20'000, .check_every = 50}, 2);
  REQUIRE(trial.sequences);
  CHECK(*trial.sequences < 20'000);
  CHECK(*trial.sequences % 50 == 0);
}

TEST_CASE("reber: the report has a row for each setting of the paper and one for the LSTM of today") {
  Report report;
  const auto fractions = progress_of([&](const Progress& progress) {
    report = embedded_reber({.trials = 2, .strings = 5, .sequences = 20, .check_every = 10, .progress = progress});
  });
  REQUIRE(report.rows.size() == 6);
  CHECK(report.rows[0].published == 39'740);
  CHECK(report.rows[4].published == 8'440);
  CHECK(report.rows[0].reproduced == false);  // twenty strings are not enough
  CHECK(!report.rows[0].here);
  CHECK(report.rows[0].note == "0 of 2 trials succeeded; in the paper 100 %");
  CHECK(!report.rows[5].published);
  CHECK(!report.reproduced());
  CHECK(std::is_sorted(fractions.begin(), fractions.end()));
  CHECK(fractions.back() == 1);
}

TEST_CASE("adding: every cell begins to learn and does so again to the bit") {
  const AddingOptions few{.hidden = 8, .batch = 16, .updates = 60, .tested = 50};
  for (const Cell cell : {Cell::rnn, Cell::rnn_uniform, Cell::lstm, Cell::lstm_open, Cell::lstm_1997, Cell::gru}) {
    INFO(to_string(cell));
    const AddingTrial first = adding_trial(cell, 10, few, 1), again = adding_trial(cell, 10, few, 1);
    CHECK(first.last_loss < first.first_loss);
    CHECK(first.last_loss == again.last_loss);
    CHECK(first.test_error == again.test_error);
    CHECK(first.updates == 60);
  }
}

TEST_CASE("adding: a short sequence is solved and the report says so beside what is published") {
  const Report solved = adding({.trials = 1, .hidden = 16, .updates = 600, .lengths = {6}, .tested = 50});
  REQUIRE(solved.rows.size() == 4);
  for (const Row& row : solved.rows) CHECK(!row.published);
  CHECK(solved.rows[2].what == "T = 6, LSTM, forget bias 1");
  CHECK(solved.rows[2].here.value() < 0.0167);

  // nothing is learned in one update: as published for RNN and LSTM, and not for the GRU
  const Report unsolved = adding({.trials = 1, .hidden = 2, .batch = 2, .updates = 1, .lengths = {600}, .tested = 20});
  REQUIRE(unsolved.rows.size() == 4);
  CHECK(unsolved.rows[0].published == 0.177);
  CHECK(unsolved.rows[0].reproduced == true);
  CHECK(!unsolved.rows[1].published);
  CHECK(unsolved.rows[2].published == 0.164);
  CHECK(unsolved.rows[3].published == 5.3e-5);
  CHECK(unsolved.rows[3].reproduced == false);
}

TEST_CASE("long lags of 1997: the trainings begin to learn and do so again to the bit") {
  const LongLagOptions few{.sequences = 300, .tested = 10};
  for (const LongLagTask& task : {adding_task_1997(20), temporal_order_task_1997(2), temporal_order_task_1997(3)}) {
    INFO(task.what);
    const LongLagTrial first = long_lag_trial(task, few, 1), again = long_lag_trial(task, few, 1);
    // the answers of the adding problem begin at the mean of its targets: nothing is gained so soon
    if (task.what.starts_with("temporal")) CHECK(first.last_loss < first.first_loss);
    CHECK(first.last_loss == again.last_loss);
    CHECK(first.test_error == again.test_error);
    CHECK(!first.sequences);
    CHECK(first.wrong > 0);
  }
}

TEST_CASE("long lags of 1997: training ends when the recent sequences are right") {
  LongLagTask task = adding_task_1997(20);
  task.right_within = 0.6;  // so that the first answers are right already: targets lie in 0 .. 1
  task.average_error = 0.07;
  const LongLagTrial trial = long_lag_trial(task, {.sequences = 60, .recent = 50, .tested = 20}, 1);
  REQUIRE(trial.sequences);
  CHECK(*trial.sequences >= 50);
  CHECK(trial.wrong == 0);
  task.average_error = 0;
  CHECK(!long_lag_trial(task, {.sequences = 60, .recent = 50, .tested = 1}, 1).sequences);
}

TEST_CASE("reach: a lag of two steps is learned and too long a one is not and the curve says so") {
  const ReachOptions few{.trials = 2, .hidden = 8, .batch = 16, .updates = 40, .lags = {2, 80, 90, 100}};
  const ReachTrial first = reach_trial(Cell::lstm, 2, few, 1), again = reach_trial(Cell::lstm, 2, few, 1);
  REQUIRE(first.updates);
  CHECK(first.updates == again.updates);
  CHECK(first.last_loss == again.last_loss);
  CHECK(first.last_loss < first.first_loss);

  const Report report = reach(few);
  REQUIRE(report.plot);
  REQUIRE(report.plot->series.size() == 6);
  const PlotSeries& uniform = report.plot->series[0];
  CHECK(uniform.xs == std::vector<double>{2, 80, 90});  // after two failures no longer lag is tried
  CHECK(uniform.ys == std::vector<double>{1, 0, 0});
  CHECK(report.rows[0].here == 2);
  CHECK(report.rows[0].published == 10);
  CHECK(report.rows[0].reproduced == false);
  CHECK(!report.rows[1].published);
}

}  // namespace unroll::test
