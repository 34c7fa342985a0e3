#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unroll::examples {

// The part of the answers that are equal to the targets.
double accuracy(std::span<const std::int64_t> answers, std::span<const std::int64_t> targets);

// The accuracy on held-out targets of always giving the most frequent one of those that were learned from.
double majority_accuracy(std::span<const std::int64_t> learned, std::span<const std::int64_t> held_out);

}  // namespace unroll::examples
