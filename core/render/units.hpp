#pragma once

#include <unroll/core/render/program.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/render/rows.hpp>

#include <cstdint>
#include <utility>
#include <vector>

// What stands together in one box, by the level of detail: a node, a named value with the operations that lead to it, a layer at one step, or all that
// a layer does in steps that are not drawn one by one.
namespace unroll::drawing {

// Steps that share a column: one, or several that are left out or folded.
struct Moment {
  std::int32_t first = no_step, last = no_step;
  bool gap = false;     // left out
  bool folded = false;  // all alike, drawn as one

  bool is_single() const { return first == last && !folded; }
};

inline constexpr int no_unit = -1, no_moment = -1;

struct Unit {
  NodeId node = no_node;        // gives its result: the last of its members
  std::vector<NodeId> members;  // in the order of the tape
  int moment = no_moment, row = no_row;
  bool is_leaf = false;
};

struct Units {
  std::vector<Moment> moments;  // in the order of time
  std::vector<Unit> units;      // in the order of their results
  std::vector<int> of;          // by node; no_unit for what has no box

  int moment_of(std::int32_t step) const;
};

// What is not drawn step by step.
struct Folding {
  Level level = Level::ops;
  std::int64_t collapse = 0;      // steps that stay at either end; 0: all
  std::vector<Moment> moments{};  // those of another phase, beside which this one is drawn; or none: its own
};

Units find_units(const Tape& tape, const Program& program, const Rows& rows, const std::vector<bool>& states,
                 const Folding& folding);

}  // namespace unroll::drawing
