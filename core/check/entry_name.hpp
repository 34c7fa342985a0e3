#pragma once

#include <unroll/core/check/gradcheck.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace unroll::detail {

// Which gate each column (position on the last axis) of a leaf belongs to: the gate with the lowest number on the tape that depends on it, at the first time step at
// which there are gates. "" where none does; no elements if all columns belong to the same or the leaf has no such axis.
std::vector<std::string> gates_of_columns(Tape& tape, const CheckedLeaf& leaf);

// "lstm.W_h[gate f][3, 1]", where the second index is that within the gate's own columns; "x[t = 3, batch 0][1]"; "h0[batch 0][2]".
std::string entry_name(const CheckedLeaf& leaf, std::size_t position, const std::vector<std::string>& gates = {});

}  // namespace unroll::detail
