#pragma once

#include <unroll/core/array/array.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace unroll {

// Sequences of different lengths in one array, (time, batch, feature), 0 behind the end of each; time is the longest length.
struct PaddedBatch {
  Array x;                            // (time, batch, feature)
  std::vector<std::int64_t> lengths;  // for OverTimeOptions::lengths
};

// From sequences (length, feature). Throws ShapeError, naming the sequence, for one without steps or of another number of features than the first,
// DTypeError for one of another dtype, Error for data that are NaN or infinite.
PaddedBatch padded_batch(std::span<const Array> sequences);

}  // namespace unroll
