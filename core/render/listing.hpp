#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>
#include <vector>

namespace unroll {

// The tape as a table, one line a node in the order of computation: index, name at its step, operation with its
// attributes, inputs as index:name ("✂ 12:c_2" where the gradient is cut: core/grad/cuts.hpp), shape, dtype, scope path, time step and phase (with the forward node that a backward or
// tangent node comes from). Indices, not addresses: recording the same program again gives the same text.
std::string listing(const Tape& tape);

// Rows of cells as left-aligned columns, two spaces apart, without spaces at the ends of lines. Cells longer than `widest`
// characters do not push their column further out.
std::string aligned_columns(const std::vector<std::string>& cells, std::size_t columns, std::size_t widest = 60);

}  // namespace unroll
