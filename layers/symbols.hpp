#pragma once

#include <unroll/core/array/array.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace unroll {

// A sequence of symbols, each a number in 0 .. vocabulary - 1; several of them side by side make a batch.
using Symbols = std::vector<std::int64_t>;

// Throws ShapeError, in the name of `layer` and of what the sequences are ("source"), unless there is at least one sequence, each has at least one
// symbol, and all symbols are in the vocabulary.
void require_symbols(std::string_view layer, std::string_view what, std::span<const Symbols> sequences,
                     std::int64_t vocabulary);

// How many symbols each has.
std::vector<std::int64_t> lengths_of(std::span<const Symbols> sequences);
// The largest of their lengths.
std::int64_t longest(std::span<const Symbols> sequences);

// The symbols at one position (from 0) of all sequences; `padding` for those that have ended.
Symbols symbols_at(std::span<const Symbols> sequences, std::int64_t position, std::int64_t padding);

// The likeliest symbol of every row of logits, (..., vocabulary); the first of equals.
Symbols likeliest(const ArrayView& logits);

}  // namespace unroll
