#include <unroll/examples/reproduce/reach.hpp>

#include <unroll/examples/reproduce/sequences.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <array>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

// All signs right on new sequences.
bool recalls(const Learner& learner, std::int64_t lag, std::int64_t tested, Generator& generator) {
  Tape tape;
  const Batch sequences = recall(lag, tested, generator);
  const Var answer = learner.at_the_end(tape.constant(sequences.x));
  for (std::size_t k = 0; k < sequences.target.size(); ++k)
    if (!(answer.value().flat(k) * sequences.target.flat(k) > 0)) return false;
  return true;
}

// What the lecture notes say of "the RNN" and "the LSTM".
std::optional<double> published(Cell cell) {
  if (cell == Cell::rnn_uniform) return 10;
  if (cell == Cell::lstm_1997) return 1000;
  return {};
}

}  // namespace

ReachTrial reach_trial(Cell cell, std::int64_t lag, const ReachOptions& o, std::uint64_t seed) {
  Generator generator(seed);
  const Learner learner = make_learner({.cell = cell, .input = 2, .hidden = o.hidden, .output = 1}, generator);
  Adam adam(learner.parameters, {.learning_rate = o.learning_rate});
  ReachTrial trial;
  const auto loss = [&](Tape& tape, std::int64_t) {
    const Batch sequences = recall(lag, o.batch, generator);
    const Var answer = learner.at_the_end(tape.constant(sequences.x));
    return mse(answer, tape.constant(sequences.target));
  };
  const auto watch = [&](const FitState& state) {
    if (state.update == 1) trial.first_loss = state.loss;
    if (state.update % o.check_every != 0 || !recalls(learner, lag, o.tested, generator)) return true;
    trial.updates = state.update;
    return false;
  };
  trial.last_loss = fit(loss, adam, {.updates = o.updates, .clip = 1, .callbacks = {watch}}).mean_loss;
  return trial;
}

Report reach(const ReachOptions& o) {
  constexpr std::array cells{Cell::rnn_uniform, Cell::rnn, Cell::gru, Cell::lstm, Cell::lstm_open, Cell::lstm_1997};
  Report report{
      .name = "reach",
      .title = "The reach of each cell: the longest lag over which most seeds learn to recall a sign",
      .source =
          "lecture notes: the RNN about 10 steps, the LSTM about 1000 (Hochreiter and Schmidhuber 1997: lags beyond "
          "1000)",
      .setting =
          {"A sign at step 1 must be answered at step 1 + lag; a second channel is noise at every step.",
           fmt::format(
               "{} units, batches of {}, Adam at rate {}, clipped at norm 1; {} seeds from {} for each cell and lag.",
               o.hidden, o.batch, o.learning_rate, o.trials, o.seed),
           fmt::format("Success: {} new sequences all right at a test, which comes every {} updates; failed after {}.",
                       o.tested, o.check_every, o.updates),
           "After two lags in a row at which no seed succeeds, longer ones are not tried."},
      .criterion = "within a factor 3 of the notes' number; above the longest lag tried counts as that lag",
      .plot = Plot{.title = "The reach of each cell",
                   .x_label = "lag in steps",
                   .y_label = "part of the seeds that succeed",
                   .log_x = true}};
  double done = 0;
  const auto all = static_cast<double>(cells.size() * o.lags.size());
  for (const Cell cell : cells) {
    PlotSeries curve;
    curve.label = to_string(cell);
    std::string successes;
    double longest = 0;
    int failures = 0;
    for (const std::int64_t lag : o.lags) {
      if (failures == 2) break;
      std::int64_t succeeded = 0;
      for (std::int64_t k = 0; k < o.trials; ++k) {
        o.progress(fmt::format("{}, lag {}", to_string(cell), lag),
                   (done + static_cast<double>(k) / static_cast<double>(o.trials)) / all);
        if (reach_trial(cell, lag, o, o.seed + static_cast<std::uint64_t>(k)).updates) ++succeeded;
      }
      ++done;
      failures = succeeded == 0 ? failures + 1 : 0;
      if (2 * succeeded > o.trials) longest = static_cast<double>(lag);
      curve.xs.push_back(static_cast<double>(lag));
      curve.ys.push_back(static_cast<double>(succeeded) / static_cast<double>(o.trials));
      successes += fmt::format("{}{}: {}", successes.empty() ? "" : ", ", lag, succeeded);
    }
    Row row{to_string(cell),
            published(cell),
            longest,
            {},
            fmt::format("seeds of {} that succeed at lag {}", o.trials, successes)};
    if (row.published) row.reproduced = longest < 3 * *row.published && 3 * longest > *row.published;
    report.rows.push_back(row);
    report.plot->series.push_back(std::move(curve));
    done = static_cast<double>(report.rows.size() * o.lags.size());
  }
  o.progress("done", 1);
  return report;
}

}  // namespace unroll::reproduce
