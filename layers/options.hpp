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

}  // namespace unroll
