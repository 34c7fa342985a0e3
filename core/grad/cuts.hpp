#pragma once

#include <unroll/core/tape/tape.hpp>

#include <string>
#include <vector>

namespace unroll {

// A place where the way back through time ends: a `detach` of what a time step computed. Truncated BPTT leaves one for every Var of the state at
// every boundary that gradients do not pass (layers/truncated.hpp); a detach() that a program calls itself counts as well.
struct Cut {
  NodeId node = no_node;        // the detach; its input is what it cuts off
  NodeId of = no_node;          // that input
  std::int32_t step = no_step;  // the time step of the input
  std::string layer, name;      // the scope path and the name of the input: "lstm", "c"
};

// Whether a node is one: a forward detach whose input has a time step and depends on an input or a parameter.
bool is_cut(const Tape& tape, NodeId id);

// All of a tape, in the order of recording.
std::vector<Cut> cuts(const Tape& tape);

}  // namespace unroll
