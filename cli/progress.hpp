#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace unroll::cli {

// What is worth knowing of a training that runs.
struct TrainingState {
  double fraction = 0;  // 1 is the end
  std::int64_t epoch = 0, epochs = 0;
  double characters = 0;  // seen until now
  double bits_per_character = 0, gradient_norm = 0;
};

// How far it is, on stderr: one line that is written again and again where a terminal shows it, and a new line now and then where not.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const TrainingState& state);
  // Since the beginning.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool line_open_ = false;
  Clock::time_point start_, next_;
  double next_fraction_ = 0.1;
};

}  // namespace unroll::cli
