#pragma once

#include <unroll/core/array/array.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace unroll::drawing {

struct Statistics {
  double smallest = 0, mean = 0, largest = 0;
};

// Of an array with at least one element; NaN if any element is.
inline Statistics statistics(const ArrayView& array) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Statistics s{infinity, 0, -infinity};
  bool nan = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const double x = array.flat(i);
    nan |= std::isnan(x);
    s.smallest = std::min(s.smallest, x);
    s.largest = std::max(s.largest, x);
    s.mean += x;
  }
  s.mean /= static_cast<double>(array.size());
  if (nan) s.smallest = s.largest = s.mean = std::numeric_limits<double>::quiet_NaN();
  return s;
}

}  // namespace unroll::drawing
