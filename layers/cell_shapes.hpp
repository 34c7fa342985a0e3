#pragma once

#include <unroll/core/ops/ops.hpp>

#include <initializer_list>
#include <string_view>

namespace unroll {

// One part of a recurrent state, with the letter that the equations give it.
struct StatePart {
  std::string_view letter;  // "h"
  Var value;                // (batch, hidden)
};

// What every cell asks of its operands: x is (batch, input), and each part of the state (batch, hidden). Without this, a state of one row
// would be repeated by broadcasting in some forms of a cell and refused in others. Throws ShapeError, or TapeError for an empty state.
void require_cell_shapes(std::string_view layer, Var x, std::int64_t input, std::initializer_list<StatePart> state,
                         std::int64_t hidden);

}  // namespace unroll
