#pragma once

#include <unroll/examples/reproduce/report.hpp>

namespace unroll::reproduce {

struct ExactOptions {
  std::uint64_t seed = 1;         // of the drawn sequences and first weights: no exact number depends on it
  std::int64_t samples = 20'000;  // adding sequences
  Progress progress = silent;
};

// The numbers that papers state exactly, each computed by running this library: baselines of the adding problem and the copy task, the numbers of
// weights of the networks of 1997, and the derivatives along the recurrence of a linear RNN and along the cell of an LSTM.
Report exact(const ExactOptions& options = {});

}  // namespace unroll::reproduce
