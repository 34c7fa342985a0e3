// Timing on a machine that others use too: contestants take turns, and medians decide.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace unroll::bench {

inline double seconds_of(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// How often to repeat work that takes `seconds`, so that the clock sees at least 5 ms of it.
inline std::size_t repetitions(double seconds) {
  return seconds >= 5e-3 ? 1 : static_cast<std::size_t>(5e-3 / std::max(seconds, 1e-7)) + 1;
}

}  // namespace unroll::bench
