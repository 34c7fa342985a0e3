#pragma once

#include <unroll/core/array/array.hpp>

#include <cstdint>
#include <limits>
#include <span>

namespace unroll {

struct Op;

// A node's index on its tape, which is also its place in the order of computation.
using NodeId = std::uint32_t;
inline constexpr NodeId no_node = std::numeric_limits<NodeId>::max();  // no node at all

// Index of a scope path in the tables of a tape; 0 is the empty one.
using ScopeId = std::uint32_t;
using NameId = std::uint32_t;  // index of a name; 0 is the empty one

inline constexpr std::int32_t no_step = std::numeric_limits<std::int32_t>::min();  // outside of time

// What a node was recorded for: the forward pass, the backward pass (adjoints), or a forward-mode sweep (tangents).
enum class Phase : std::uint8_t {
  forward,   // what the program computes
  backward,  // adjoints, where backward() was told to create a graph
  tangent    // what jvp() computes
};

// "forward", "backward" or "tangent".
constexpr const char* to_string(Phase phase) {
  return phase == Phase::forward ? "forward" : phase == Phase::backward ? "backward" : "tangent";
}

// Where a node stands in the network: scope (layer, gate), time step, phase.
struct Place {
  ScopeId scope = 0;             // its path: Tape::path()
  std::int32_t step = no_step;   // 1 is the first step, 0 the initial state, no_step outside of time
  Phase phase = Phase::forward;  // what it was recorded for

  friend bool operator==(const Place&, const Place&) = default;
};

// The constants of an operation, as plain numbers: axes, extents and indices in `ints`, exponents and bounds in `reals`. Each
// operation says in its definition what they mean. On a tape they point into the tape's memory.
struct Attributes {
  std::span<const std::int64_t> ints;  // axes, extents, indices
  std::span<const double> reals;       // exponents, bounds
};

// One recorded operation. The inputs of a node are read through Tape::inputs.
struct Node {
  const Op* op = nullptr;                          // the operation
  ArrayView value;                                 // shape, dtype and elements
  Attributes attributes;                           // its constants
  std::uint32_t first_input = 0, input_count = 0;  // where its inputs stand in the list of the tape, and how many
  Place place;                                     // scope, time step, phase
  bool tracked = false;                            // depends on an input or a parameter whose gradient is wanted
  bool pending = false;                            // not evaluated yet: only during an unrecorded backward pass
  NameId name = 0;                                 // as given by Var::named
  NodeId origin = no_node;   // of a backward or tangent node: the forward node whose rule recorded it
  NodeId adjoint = no_node;  // of a forward node: its adjoint, where the backward pass was recorded
};

}  // namespace unroll
