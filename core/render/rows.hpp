#pragma once

#include <unroll/core/render/program.hpp>
#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <vector>

// The rows of a drawing: the layers of a time step, which stand one above the other. A layer is the scope in which a state is recorded (with the scopes
// of its gates in it), or else an outermost scope; what has no scope stands with what it reads.
namespace unroll::drawing {

inline constexpr int no_row = -1;

struct Row {
  ScopeId scope = 0;
  bool reverse = false;  // its states run from later steps to earlier ones
};

struct Rows {
  std::vector<Row> rows;  // from the bottom up: each reads those below
  std::vector<int> of;    // by node; no_row for what is hidden or outside of time
};

// `states` says of every node whether it is one: read by other steps.
Rows find_rows(const Tape& tape, const Program& program, const std::vector<bool>& states);

// The innermost scope around both.
ScopeId common_scope(const Tape& tape, ScopeId a, ScopeId b);

}  // namespace unroll::drawing
