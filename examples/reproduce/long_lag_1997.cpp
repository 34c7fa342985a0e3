#include <unroll/examples/reproduce/long_lag_1997.hpp>

#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

// How far the answer to one sequence is off.
struct Miss {
  double largest = 0, squares = 0;
};
Miss miss(Var difference) {
  Miss m;
  for (std::size_t k = 0; k < difference.value().size(); ++k) {
    const double d = std::abs(difference.value().flat(k));
    m.largest = std::max(m.largest, d);
    m.squares += d * d;
  }
  return m;
}

// The misses of the last sequences: how many in a row are right, and the mean of their squares.
class Recent {
 public:
  Recent(std::int64_t count, double right_within) : within_(right_within), squares_(static_cast<std::size_t>(count)) {}

  void add(const Miss& m) {
    right_ = m.largest < within_ ? right_ + 1 : 0;
    squares_[next_] = m.squares;
    next_ = (next_ + 1) % squares_.size();
  }
  bool all_right() const { return right_ >= static_cast<std::int64_t>(squares_.size()); }
  double mean_square() const {
    double total = 0;
    for (const double s : squares_) total += s;
    return total / static_cast<double>(squares_.size());
  }

 private:
  double within_;
  std::vector<double> squares_;
  std::size_t next_ = 0;
  std::int64_t right_ = 0;
};

void test(const Network1997& network, const LongLagTask& task, const LongLagOptions& o, Generator& generator,
          LongLagTrial& trial) {
  Tape tape;
  for (std::int64_t k = 0; k < o.tested; ++k) {
    tape.clear();
    const Batch sequence = task.draw(generator);
    const Var answer = network.at_the_end(tape.constant(sequence.x));
    const Miss m = miss(answer - tape.constant(sequence.target));
    trial.wrong += m.largest < task.right_within ? 0 : 1;
    trial.test_error += m.squares / static_cast<double>(o.tested);
  }
}

// All trials of one task, as one row. `part` and `parts`: which part of the whole report this is.
Row run_trials(const LongLagTask& task, const LongLagOptions& options, int part, int parts) {
  Row row{task.what, task.published_sequences, {}, false};
  std::vector<double> sequences;
  std::string wrong;
  for (std::int64_t k = 0; k < options.trials; ++k) {
    LongLagOptions o = options;
    o.progress = [&](std::string_view what, double fraction) {
      const double trials_done = (static_cast<double>(k) + fraction) / static_cast<double>(options.trials);
      options.progress(what, (part + trials_done) / parts);
    };
    const LongLagTrial trial = long_lag_trial(task, o, options.seed + static_cast<std::uint64_t>(k));
    if (trial.sequences) sequences.push_back(static_cast<double>(*trial.sequences));
    wrong += fmt::format("{}{}", wrong.empty() ? "" : ", ", trial.wrong);
  }
  row.note = fmt::format("wrong of {} test sequences after the trials: {} (paper: {:g}); {} of {} trials succeeded",
                         options.tested, wrong, task.published_wrong, sequences.size(), options.trials);
  if (sequences.empty()) return row;
  const Spread found = spread(sequences);
  row.here = found.mean;
  row.reproduced = 2 * sequences.size() > static_cast<std::size_t>(options.trials) &&
                   found.mean < 2 * task.published_sequences && found.mean > task.published_sequences / 2;
  row.note += fmt::format(", after {:.0f} to {:.0f}", found.low, found.high);
  return row;
}

Report report_of(const LongLagOptions& o, std::string name, std::string title, const std::vector<LongLagTask>& tasks) {
  Report report{
      .name = std::move(name),
      .title = std::move(title),
      .source = "",
      .setting =
          {fmt::format(
               "The LSTM of 1997, the paper's network, biases and learning rate; {} trials a row, seeds from {}.",
               o.trials, o.seed),
           "On-line gradient descent on half the squared error at the end of each new sequence, truncated gradient as "
           "in the paper.",
           fmt::format("Success: the last {} sequences right and their mean squared error below the paper's bound; "
                       "failed after {}.",
                       o.recent, o.sequences)},
      .criterion = "most trials succeed, and the mean of the successful ones is within a factor 2 of the paper's"};
  int part = 0;
  for (const LongLagTask& task : tasks)
    report.rows.push_back(run_trials(task, o, part++, static_cast<int>(tasks.size())));
  o.progress("done", 1);
  return report;
}

}  // namespace

LongLagTask adding_task_1997(std::int64_t T) {
  LongLagTask task{.what = fmt::format("adding problem, T = {}: sequences until success", T),
                   .network = adding_1997(),
                   .learning_rate = 0.5,
                   .right_within = 0.04,
                   .average_error = 0.01,
                   .draw = [T](Generator& generator) { return adding_problem_1997(T, generator); },
                   .published_sequences = T <= 100   ? 74'000.0
                                          : T <= 500 ? 209'000.0
                                                     : 853'000.0,
                   .published_wrong = T <= 100   ? 1.0
                                      : T <= 500 ? 0.0
                                                 : 1.0};
  task.network.hidden.truncated = true;
  return task;
}

LongLagTask temporal_order_task_1997(std::int64_t places) {
  const bool two = places == 2;
  LongLagTask task{.what = fmt::format("temporal order, {} classes: sequences until success", two ? 4 : 8),
                   .network = temporal_order_1997(places),
                   .learning_rate = two ? 0.5 : 0.1,
                   .right_within = 0.3,
                   .average_error = 0.1,
                   .draw = [places](Generator& generator) { return temporal_order(places, generator); },
                   .published_sequences = two ? 31'390.0 : 571'100.0,
                   .published_wrong = two ? 1.0 : 2.0};
  task.network.hidden.truncated = true;
  return task;
}

LongLagTrial long_lag_trial(const LongLagTask& task, const LongLagOptions& o, std::uint64_t seed) {
  Generator generator(seed);
  const Network1997 network(task.network, generator);
  SGD sgd(network.parameters(), {.learning_rate = task.learning_rate});
  Recent recent(o.recent, task.right_within);
  LongLagTrial trial;
  const auto loss = [&](Tape& tape, std::int64_t) {
    const Batch sequence = task.draw(generator);
    const Var answer = network.at_the_end(tape.constant(sequence.x));
    const Var difference = answer - tape.constant(sequence.target);
    recent.add(miss(difference));
    return 0.5 * sum(square(difference));
  };
  const auto watch = [&](const FitState& state) {
    if (state.update == 1) trial.first_loss = state.loss;
    if (state.update % 1000 == 0) o.progress(fmt::format("{}, seed {}", task.what, seed), state.fraction());
    if (!recent.all_right() || recent.mean_square() >= task.average_error) return true;
    trial.sequences = state.update;
    return false;
  };
  trial.last_loss = fit(loss, sgd, {.updates = o.sequences, .callbacks = {watch}}).mean_loss;
  test(network, task, o, generator, trial);
  return trial;
}

Report adding_1997_report(const LongLagOptions& o) {
  Report report = report_of(o, "adding-1997", "The adding problem of 1997", {adding_task_1997(100)});
  report.source = "Hochreiter and Schmidhuber 1997, experiment 4, Table 7";
  return report;
}

Report temporal_order_report(const LongLagOptions& o) {
  Report report =
      report_of(o, "temporal-order", "Temporal order, with the LSTM of 1997", {temporal_order_task_1997(2)});
  report.source = "Hochreiter and Schmidhuber 1997, experiment 6, Table 9";
  return report;
}

}  // namespace unroll::reproduce
