#pragma once

#include <unroll/examples/reproduce/learner.hpp>
#include <unroll/examples/reproduce/report.hpp>

namespace unroll::reproduce {

struct ReachOptions {
  std::uint64_t seed = 1;
  std::int64_t trials = 10;  // seeds of every cell and lag
  std::int64_t hidden = 16, batch = 32;
  std::int64_t updates = 600;     // after so many a trial has failed
  std::int64_t check_every = 20;  // updates between two tests
  std::int64_t tested = 100;      // new sequences of a test: all must be answered right
  std::vector<std::int64_t> lags = {5, 10, 20, 30, 50, 100, 200, 500, 1000};
  double learning_rate = 0.01;
  Progress progress = silent;
};

struct ReachTrial {
  std::optional<std::int64_t> updates;  // until success; none: not in time
  double first_loss = 0, last_loss = 0;
};

ReachTrial reach_trial(Cell cell, std::int64_t lag, const ReachOptions& options, std::uint64_t seed);

// How far back each cell learns to look: the part of the seeds that learn to recall a sign over a lag, as a curve over the lag.
Report reach(const ReachOptions& options = {});

}  // namespace unroll::reproduce
