#pragma once

#include <chrono>
#include <cstdio>
#include <string_view>

namespace unroll {

// How far something long is: one line that is written again and again where a terminal shows it, and a new line at each tenth of the way where not.
class ProgressLine {
 public:
  // Nothing is written yet.
  explicit ProgressLine(std::FILE* out = stderr);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Whether it is time to print() again; 1 is the end. Cheap enough to be asked at every step.
  bool due(double fraction) const;

  // `lead` stands where a terminal has a bar. What is left is reckoned from what was done since `begun`, the fraction at which this run began.
  void print(double fraction, double begun, std::string_view lead, std::string_view numbers);

  // Since the beginning.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::FILE* out_;
  bool terminal_;
  bool line_open_ = false;
  Clock::time_point start_, next_;
  double next_fraction_ = 0.1;
};

}  // namespace unroll
