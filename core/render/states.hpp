#pragma once

#include <unroll/core/render/program.hpp>
#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

// Which nodes are states: what a step reads of another step, and what has the same name and scope at other steps (so the last step, whose states nobody
// reads, is drawn like the others).
namespace unroll::drawing {

// What is the same in every step: the name, or what is computed, and the scope.
using Identity = std::pair<std::string, ScopeId>;
Identity identity(const Tape& tape, const Program& program, NodeId id);

class States {
 public:
  States(const Tape& tape, const Program& program, Phase phase);

  const std::vector<bool>& all() const { return is_state_; }  // by node
  bool operator[](NodeId id) const { return is_state_[id]; }
  // A leaf that stands for a state before the first step: recorded at step 0, or with the name of what the step that reads it computes.
  bool is_initial(NodeId leaf) const;

 private:
  bool is_computed(NodeId id) const;

  const Tape& tape_;
  const Program& program_;
  const Phase phase_;
  std::unordered_set<std::uint64_t> named_;  // what computed nodes are called, by step
  std::vector<bool> is_state_;
};

}  // namespace unroll::drawing
