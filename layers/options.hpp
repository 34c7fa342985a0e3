#pragma once

#include <unroll/core/array/error.hpp>

#include <cstdint>
#include <string_view>

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

}  // namespace unroll
