#pragma once

#include <unroll/core/check/diagnosis.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include <unroll/core/array/array.hpp>

namespace unroll::detail {

// How a wrong gradient relates to the right one of the same shape, where that is plain to see: the opposite, a multiple, the transpose, clipped,
// in reversed order of time (axis 0, if `time_axis`), zero. `name` is what the sentence calls it.
struct Pattern {
  Cause cause;
  std::string words;
  double factor = 1;  // of cause factor
};
std::optional<Pattern> pattern(const std::string& name, const Array& wrong, const Array& right, double tolerance,
                               std::int64_t steps, std::int64_t batch, bool time_axis = false);

// Whether two gradients are equal, within a tolerance relative to the larger of them.
bool agree(const Array& a, const Array& b, double tolerance, double floor = 0);
// Whether two arrays are equal to the bit.
bool same_bits(const ArrayView& a, const ArrayView& b);
// The largest absolute element; NaN does not count.
double largest_of(const Array& array);

}  // namespace unroll::detail
