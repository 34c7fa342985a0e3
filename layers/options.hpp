#pragma once

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace unroll {

// Throws ShapeError, naming layer and option, unless the value is at least 1.
inline void require_positive(std::string_view layer, std::string_view option, std::int64_t value) {
  if (value < 1) throw ShapeError(fmt::format("{}: option {} is {}, expected at least 1", layer, option, value));
}

// Throws ShapeError, naming layer and option, unless the value is a share of the whole: from 0 up, and below 1.
inline void require_rate(std::string_view layer, std::string_view option, double value) {
  if (!(value >= 0 && value < 1))
    throw ShapeError(fmt::format("{}: option {} is {}, expected a rate from 0 to below 1", layer, option, value));
}

// Whether two parts have one name: on the tape they would be one layer, so whoever holds them numbers them.
inline bool any_twice(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace unroll
