#pragma once

#include <unroll/examples/reproduce/network_1997.hpp>
#include <unroll/examples/reproduce/report.hpp>
#include <unroll/examples/reproduce/sequences.hpp>

namespace unroll::reproduce {

// An experiment of the 1997 paper in which one answer is asked for at the end of a long sequence.
struct LongLagTask {
  std::string what;
  Network1997Options network;
  double learning_rate = 0;
  double right_within = 0;  // a sequence is right if no output is off by as much as this
  double average_error =
      0;  // training ends when the recent sequences are all right and their mean squared error is below this
  std::function<Batch(Generator&)> draw;
  double published_sequences = 0;  // until training ended
  double published_wrong = 0;      // of the test sequences
};

LongLagTask adding_task_1997(std::int64_t T);               // experiment 4; published for T = 100, 500 and 1000
LongLagTask temporal_order_task_1997(std::int64_t places);  // experiment 6: 2 (4 classes) or 3 (8 classes)

struct LongLagOptions {
  std::uint64_t seed = 1;
  std::int64_t trials = 3;
  std::int64_t sequences = 200'000;  // after so many a trial has failed
  std::int64_t recent = 2000;        // so many in a row must be right
  std::int64_t tested = 2560;        // sequences of the test
  Progress progress = silent;
};

struct LongLagTrial {
  std::optional<std::int64_t> sequences;  // until training ended; none: not in time
  std::int64_t wrong = 0;                 // of the tested
  double test_error = 0;                  // mean squared error of the tested
  double first_loss = 0, last_loss = 0;   // moving means
};

// On-line gradient descent, one new sequence after the other; `progress` is told how far the trial is.
LongLagTrial long_lag_trial(const LongLagTask& task, const LongLagOptions& options, std::uint64_t seed);

Report adding_1997_report(const LongLagOptions& options = {});
Report temporal_order_report(const LongLagOptions& options = {});

}  // namespace unroll::reproduce
