#include <unroll/examples/reproduce/reber_experiment.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/examples/reproduce/learner.hpp>
#include <unroll/examples/reproduce/network_1997.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

constexpr std::size_t symbol_count = 7;
constexpr double modern_learning_rate = 0.01;

// All symbols but the last go in; all but the first are to be predicted.
Array inputs(const ReberString& s) { return one_hot(s.symbols, 0, s.symbols.size() - 1); }
Array successors(const ReberString& s) { return one_hot(s.symbols, 1, s.symbols.size()); }

// Draws strings, trains on them one at a time, and tests now and then: the same for both networks.
template <class Loss, class Outputs>
ReberTrial run_trial(const Loss& loss, const Outputs& outputs, Optimizer& optimizer, const ReberOptions& o,
                     Generator& generator) {
  const std::vector<ReberString> training = embedded_reber_strings(o.strings, generator);
  const std::vector<ReberString> test = embedded_reber_strings(o.strings, generator);
  Tape test_tape;
  const Predictor predictor = [&](const ReberString& string) {
    test_tape.clear();
    return outputs(test_tape.constant(inputs(string))).value().copy();
  };
  ReberTrial trial;
  const auto watch = [&](const FitState& state) {
    if (state.update == 1) trial.first_loss = state.loss;
    if (state.update % o.check_every != 0) return true;
    if (!predicts_all(predictor, test) || !predicts_all(predictor, training)) return true;
    trial.sequences = state.update;
    return false;
  };
  const auto one_string = [&](Tape& tape, std::int64_t) {
    return loss(tape, training[generator.below(training.size())]);
  };
  trial.last_loss = fit(one_string, optimizer, {.updates = o.sequences, .callbacks = {watch}}).mean_loss;
  return trial;
}

struct Summary {
  std::vector<double> sequences;  // of the trials that succeeded
  std::string note;
};

Summary summarise(const std::vector<ReberTrial>& trials) {
  Summary s;
  for (const ReberTrial& t : trials)
    if (t.sequences) s.sequences.push_back(static_cast<double>(*t.sequences));
  s.note = fmt::format("{} of {} trials succeeded", s.sequences.size(), trials.size());
  if (!s.sequences.empty()) {
    const Spread found = spread(s.sequences);
    s.note += fmt::format(", after {:.0f} to {:.0f}", found.low, found.high);
  }
  return s;
}

}  // namespace

const std::vector<ReberSetting>& reber_settings() {
  static const std::vector<ReberSetting> settings{
      {4, 1, 0.1, 39'740, 100}, {3, 2, 0.1, 21'730, 100}, {3, 2, 0.2, 14'060, 97},
      {4, 1, 0.5, 9'500, 97},   {3, 2, 0.5, 8'440, 100},
  };
  return settings;
}

bool predicts_all(const Predictor& predictor, const std::vector<ReberString>& strings) {
  return std::all_of(strings.begin(), strings.end(), [&](const ReberString& string) {
    const Array outputs = predictor(string);
    for (std::size_t t = 0; t + 1 < string.symbols.size(); ++t) {
      double weakest_legal = INFINITY, strongest_other = -INFINITY;
      for (std::size_t k = 0; k < symbol_count; ++k) {
        const double output = outputs.flat(t * symbol_count + k);
        if (std::isnan(output)) return false;
        if (string.legal[t].find(reber_symbols[k]) != std::string::npos)
          weakest_legal = std::min(weakest_legal, output);
        else
          strongest_other = std::max(strongest_other, output);
      }
      if (!(weakest_legal > strongest_other)) return false;
    }
    return true;
  });
}

ReberTrial reber_trial_1997(const ReberSetting& setting, const ReberOptions& o, std::uint64_t seed) {
  Generator generator(seed);
  const Network1997 network(embedded_reber_1997(setting.blocks, setting.cells), generator);
  SGD sgd(network.parameters(), {.learning_rate = setting.learning_rate});
  const auto loss = [&](Tape& tape, const ReberString& string) {
    const Var outputs = network.at_every_step(tape.constant(inputs(string)));
    return sum(square(outputs - tape.constant(successors(string))));
  };
  return run_trial(
      loss, [&](Var xs) { return network.at_every_step(xs); }, sgd, o, generator);
}

ReberTrial reber_trial_modern(const ReberOptions& o, std::uint64_t seed) {
  Generator generator(seed);
  const Learner learner = make_learner({.cell = Cell::lstm, .input = 7, .hidden = 5, .output = 7}, generator);
  Adam adam(learner.parameters, {.learning_rate = modern_learning_rate});
  const auto loss = [&](Tape& tape, const ReberString& string) {
    std::vector<std::int64_t> targets;
    for (const char symbol : std::string_view(string.symbols).substr(1)) targets.push_back(reber_index(symbol));
    return cross_entropy(learner.at_every_step(tape.constant(inputs(string))), targets);
  };
  return run_trial(loss, learner.at_every_step, adam, o, generator);
}

Report embedded_reber(const ReberOptions& o) {
  Report report{
      .name = "reber",
      .title = "Embedded Reber grammar: strings shown until every legal successor is predicted",
      .source = "Hochreiter and Schmidhuber 1997, experiment 1, Table 1",
      .setting = {fmt::format("{} training and {} test strings, drawn anew for each of {} trials a row; seeds from {}.",
                              o.strings, o.strings, o.trials, o.seed),
                  "The LSTM of 1997: gradient descent on the squared error (target - output)^2 summed over the string, "
                  "one step a",
                  "string, full BPTT; weights in +-0.2, biases of the output gates -1, -2, ...",
                  fmt::format("Success: all {} strings right at a test, which comes every {} strings; failed after {}.",
                              2 * o.strings, o.check_every, o.sequences),
                  "The LSTM of today: 5 cells, 302 weights, softmax, cross-entropy, Adam at rate 0.01."},
      .criterion = "most trials succeed, and the mean of the successful ones is within a factor 2 of the paper's"};
  const auto rows = static_cast<double>(reber_settings().size() + 1);
  double done = 0;
  const auto trials_of = [&](const std::string& what, const auto& trial) {
    std::vector<ReberTrial> trials;
    for (std::int64_t k = 0; k < o.trials; ++k) {
      o.progress(what, (done + static_cast<double>(k) / static_cast<double>(o.trials)) / rows);
      trials.push_back(trial(o.seed + static_cast<std::uint64_t>(k)));
    }
    ++done;
    return summarise(trials);
  };
  for (const ReberSetting& s : reber_settings()) {
    const std::string what = fmt::format("LSTM of 1997, {} blocks of {}, rate {}", s.blocks, s.cells, s.learning_rate);
    const Summary found = trials_of(what, [&](std::uint64_t seed) { return reber_trial_1997(s, o, seed); });
    Row row{
        what, s.published_sequences, {}, false, found.note + fmt::format("; in the paper {:g} %", s.published_success)};
    if (!found.sequences.empty()) {
      row.here = spread(found.sequences).mean;
      const double ratio = *row.here / s.published_sequences;
      row.reproduced = 2 * found.sequences.size() > static_cast<std::size_t>(o.trials) && ratio < 2 && ratio > 0.5;
    }
    report.rows.push_back(row);
  }
  const Summary modern = trials_of("LSTM of today", [&](std::uint64_t seed) { return reber_trial_modern(o, seed); });
  Row row{"LSTM of today, 5 cells, Adam", {}, {}, {}, modern.note};
  if (!modern.sequences.empty()) row.here = spread(modern.sequences).mean;
  report.rows.push_back(row);
  o.progress("done", 1);
  return report;
}

}  // namespace unroll::reproduce
