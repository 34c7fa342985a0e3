#include <unroll/examples/reproduce/adding.hpp>

#include <unroll/examples/reproduce/sequences.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <array>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

constexpr double baseline = 1.0 / 6;      // the squared error of always answering 1
constexpr double solved = baseline / 10;  // an error below this is a solution
constexpr double enough = 0.001;          // training ends here

// Bai, Kolter and Koltun 2018, T = 600.
std::optional<double> published(Cell cell, std::int64_t length) {
  if (length != 600) return {};
  switch (cell) {
    case Cell::lstm: return 0.164;
    case Cell::gru: return 5.3e-5;
    case Cell::rnn_uniform: return 0.177;
    default: return {};
  }
}

}  // namespace

AddingTrial adding_trial(Cell cell, std::int64_t length, const AddingOptions& o, std::uint64_t seed) {
  Generator generator(seed);
  const Learner learner = make_learner({.cell = cell, .input = 2, .hidden = o.hidden, .output = 1}, generator);
  Adam adam(learner.parameters, {.learning_rate = o.learning_rate});
  const auto error = [&](Tape& tape, std::int64_t batch) {
    const Batch sequences = adding_problem(length, batch, generator);
    const Var answer = learner.at_the_end(tape.constant(sequences.x));
    return mse(answer, tape.constant(sequences.target));
  };
  AddingTrial trial;
  const auto watch = [&](const FitState& state) {
    if (state.update == 1) trial.first_loss = state.loss;
    if (state.update % 100 == 0)
      o.progress(fmt::format("T = {}, {}, seed {}: error {:.4f}", length, to_string(cell), seed, state.mean_loss),
                 state.fraction());
    return state.update < 10 || state.mean_loss >= enough;
  };
  const FitResult result = fit([&](Tape& tape, std::int64_t) { return error(tape, o.batch); }, adam,
                               {.updates = o.updates, .clip = 1, .callbacks = {watch}});
  trial.updates = result.update;
  trial.last_loss = result.mean_loss;
  Tape tape;
  trial.test_error = error(tape, o.tested).item();
  return trial;
}

Report adding(const AddingOptions& o) {
  constexpr std::array cells{Cell::rnn_uniform, Cell::rnn, Cell::lstm, Cell::gru};
  Report report{
      .name = "adding",
      .title = "The adding problem: mean squared error on new sequences; always answering 1 has 0.1667",
      .source = "Bai, Kolter and Koltun 2018, Table 2, for T = 600; shorter ones have no published number here",
      .setting = {fmt::format("{} units, batches of {}, Adam at rate {}, clipped at norm 1, {} updates or until the "
                              "error is below {};",
                              o.hidden, o.batch, o.learning_rate, o.updates, enough),
                  fmt::format("{} trials a row (seeds from {}), the mean of their errors on {} new sequences each.",
                              o.trials, o.seed, o.tested)},
      .criterion = "solved (error below 0.0167, a tenth of 0.1667) here and there, or in neither"};
  // the time of a trial grows with the length
  double all = 0, done = 0;
  for (const std::int64_t length : o.lengths) all += static_cast<double>(length);
  all *= static_cast<double>(cells.size()) * static_cast<double>(o.trials);
  for (const std::int64_t length : o.lengths)
    for (const Cell cell : cells) {
      std::vector<double> errors;
      std::string updates;
      std::int64_t solutions = 0;
      for (std::int64_t k = 0; k < o.trials; ++k) {
        AddingOptions options = o;
        options.progress = [&](std::string_view what, double fraction) {
          o.progress(what, (done + fraction * static_cast<double>(length)) / all);
        };
        const AddingTrial trial = adding_trial(cell, length, options, o.seed + static_cast<std::uint64_t>(k));
        errors.push_back(trial.test_error);
        solutions += trial.test_error < solved ? 1 : 0;
        updates += fmt::format("{}{}", updates.empty() ? "" : ", ", trial.updates);
        done += static_cast<double>(length);
      }
      const Spread found = spread(errors);
      Row row{fmt::format("T = {}, {}", length, to_string(cell)),
              published(cell, length),
              found.mean,
              {},
              fmt::format("{} of {} solved, errors {:.2g} to {:.2g}, updates {}", solutions, o.trials, found.low,
                          found.high, updates)};
      if (row.published) row.reproduced = (*row.published < solved) == (found.mean < solved);
      report.rows.push_back(row);
    }
  o.progress("done", 1);
  return report;
}

}  // namespace unroll::reproduce
