#pragma once

#include <unroll/core/tape/tape.hpp>

#include <functional>
#include <unordered_map>
#include <vector>

namespace unroll::detail {

// One way along which an adjoint flows back: from a node to one of its inputs.
struct Edge {
  NodeId node = no_node;
  std::size_t input = 0;
};

// What goes along an edge instead of `contribution`, which the operation's rule gave (in the shape of the input, or one to which it was broadcast); an empty Var for nothing.
using EdgeHook = std::function<Var(const Edge& edge, Var g, Var contribution)>;

// A reverse sweep to experiment with, by the rules of the operations, slow and plain: it goes through the operations behind a custom_vjp instead of asking its rule,
// through detach(), through constants that are known to be copies of a node (`copies`), and past a hook that may change what flows along an edge. So it
// gives the gradient that a program would have without hand-written rules and cuts; and with a fault in one place.
class ReverseWalk {
 public:
  struct Options {
    bool through_detach = true;
    std::unordered_map<NodeId, NodeId> copies = {};  // from a constant to the node whose numbers it holds
  };
  ReverseWalk(Tape& tape, std::vector<NodeId> leaves, Options options);
  ReverseWalk(Tape& tape, std::vector<NodeId> leaves) : ReverseWalk(tape, std::move(leaves), Options{}) {}

  // The gradients of <cotangent, value of node `from`> by the leaves, in float64. The tape is afterwards as it was.
  std::vector<Array> gradients(NodeId from, const Array& cotangent, const EdgeHook& hook = {});

  // Whether a node depends on one of the leaves.
  bool depends(NodeId id) const { return depends_[id]; }

 private:
  class Rule;
  void sweep(NodeId from, NodeId to);
  void hand_on(NodeId id);
  void replay(NodeId id);
  void give(NodeId id, std::size_t input, Var contribution);
  void add(NodeId id, Var contribution);
  void find_dependent(NodeId begin);

  Tape& tape_;
  std::vector<NodeId> leaves_;
  Options options_;
  std::vector<bool> depends_;
  std::vector<Var> adjoint_;
  const EdgeHook* hook_ = nullptr;
};

}  // namespace unroll::detail
