#pragma once

#include <unroll/core/check/diagnosis.hpp>
#include <unroll/core/check/program_map.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::detail {

// A mistake that a hand-written backward pass may have: what flows along some edges of the program instead of the right thing.
struct Fault {
  Cause cause;
  std::string words;  // "the term that reaches h_(t-1) through f is missing"
  Edges edges;        // where it is made
  EdgeHook hook;
};

// The single mistakes that a backward pass of a recorded program may have, likely ones first: terms left out, with the wrong sign, or times a constant; products with
// another value; derivatives of functions left out or taken elsewhere; transposes; sums over batch or time left out. The same edge is meant at every time step, or at those
// between two steps only, or at the first or last one only. `leaves` are the nodes by which the gradient is taken.
std::vector<Fault> single_faults(Tape& tape, const ReverseWalk& walk, const std::vector<NodeId>& leaves,
                                 std::int64_t steps, std::int64_t batch);

}  // namespace unroll::detail
