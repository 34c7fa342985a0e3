#pragma once

#include <unroll/examples/reproduce/learner.hpp>
#include <unroll/examples/reproduce/report.hpp>

namespace unroll::reproduce {

struct AddingOptions {
  std::uint64_t seed = 1;
  std::int64_t trials = 2;  // seeds of every cell and length
  std::int64_t hidden = 32, batch = 32;
  std::int64_t updates = 2500;  // of a trial at most; it ends when its moving mean of the loss is below 0.001
  std::vector<std::int64_t> lengths = {100, 600};
  std::int64_t tested = 1000;  // sequences of the test
  double learning_rate = 0.01;
  Progress progress = silent;
};

struct AddingTrial {
  double test_error = 0;     // mean squared error on new sequences
  std::int64_t updates = 0;  // until it ended
  double first_loss = 0, last_loss = 0;
};

AddingTrial adding_trial(Cell cell, std::int64_t length, const AddingOptions& options, std::uint64_t seed);

// The adding problem as it is used today: RNN against LSTM against GRU.
Report adding(const AddingOptions& options = {});

}  // namespace unroll::reproduce
