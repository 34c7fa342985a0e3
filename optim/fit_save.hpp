#pragma once

#include <unroll/optim/fit.hpp>

#include <optional>

// The file from which an interrupted training goes on: what fit() writes and reads.
namespace unroll::detail {

// How far a training is.
struct FitProgress {
  std::int64_t update = 0;
  double loss = 0, mean_loss = 0;
};

// Writes parameters, the optimiser's memory, `progress` and options.memory to options.save, whole or not at all. Throws FileError if it cannot be
// written, NonFiniteError, before anything is written, if a parameter is NaN or infinite.
void write_save(const FitOptions& options, Optimizer& optimizer, FitProgress progress);

// Puts everything back as it was written; nothing if there is no such file. Throws FileError, before anything is changed, for a file that is damaged, no
// save, or of another training.
std::optional<FitProgress> read_save(const FitOptions& options, Optimizer& optimizer);

}  // namespace unroll::detail
