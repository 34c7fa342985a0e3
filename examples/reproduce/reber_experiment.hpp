#pragma once

#include <unroll/examples/reproduce/reber.hpp>
#include <unroll/examples/reproduce/report.hpp>

namespace unroll::reproduce {

// One line of Table 1 of Hochreiter and Schmidhuber 1997.
struct ReberSetting {
  std::int64_t blocks = 0, cells = 0;
  double learning_rate = 0;
  double published_sequences = 0;  // mean number of sequences until success, over the successful trials
  double published_success = 0;    // percent of the trials
};
const std::vector<ReberSetting>& reber_settings();

struct ReberOptions {
  std::uint64_t seed = 1;
  std::int64_t trials = 10;         // of every setting; the paper has 30
  std::int64_t strings = 256;       // for training, and as many for the test
  std::int64_t sequences = 50'000;  // after so many a trial has failed
  std::int64_t check_every = 100;   // sequences between two tests
  Progress progress = silent;
};

// Of every symbol but the last, the seven outputs that follow it, (time, 7).
using Predictor = std::function<Array(const ReberString& string)>;

// Whether after every symbol of every string each legal successor is predicted above all others: the paper's criterion.
bool predicts_all(const Predictor& predictor, const std::vector<ReberString>& strings);

// What became of one trial.
struct ReberTrial {
  std::optional<std::int64_t> sequences;  // until success; none: not in time
  double first_loss = 0, last_loss = 0;   // moving means
};

// On-line: after every string that is shown, one step of gradient descent.
ReberTrial reber_trial_1997(const ReberSetting& setting, const ReberOptions& options, std::uint64_t seed);
// The LSTM of today (forget gate, softmax, cross-entropy, Adam) with about as many weights, on the same strings, one at a time.
ReberTrial reber_trial_modern(const ReberOptions& options, std::uint64_t seed);

Report embedded_reber(const ReberOptions& options = {});

}  // namespace unroll::reproduce
