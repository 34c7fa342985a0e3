#pragma once

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <vector>

// What the two reverse sweeps share. backward() checks and chooses; the sweeps work.
namespace unroll::detail {

// Without recording (eager_sweep.cpp) and with (recorded_sweep.cpp): from the node `loss` down, beginning with its adjoint.
Gradients sweep_eagerly(Tape& tape, NodeId loss, const Array& cotangent, const BackwardOptions& options);
Gradients sweep_recorded(Tape& tape, NodeId loss, const Array& cotangent, const BackwardOptions& options);

// While it lives, what is recorded stands at the place of a forward node, as part of the backward pass.
class AtForwardNode {
 public:
  AtForwardNode(Tape& tape, NodeId node, bool lazy) : before_(tape) {
    tape.place = tape[node].place;
    tape.place.phase = Phase::backward;
    tape.origin = node;
    tape.lazy = lazy;
  }

 private:
  Elsewhere before_;
};

// What a rule gives to an input has the input's shape, or one to which the input was broadcast; throws ShapeError in the name of the operation.
void require_fitting(const Tape& tape, NodeId node, std::size_t i, const Node& input, const Node& contribution);

// A set of nodes, mostly empty.
class NodeSet {
 public:
  explicit NodeSet(const std::vector<Var>& vars) {
    for (const Var& v : vars) nodes_.push_back(v.id());
    std::sort(nodes_.begin(), nodes_.end());
  }
  bool contains(NodeId id) const { return !nodes_.empty() && std::binary_search(nodes_.begin(), nodes_.end(), id); }

 private:
  std::vector<NodeId> nodes_;
};

}  // namespace unroll::detail
