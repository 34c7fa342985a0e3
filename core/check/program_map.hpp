#pragma once

#include <unroll/core/check/reverse_walk.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::detail {

using Edges = std::set<std::pair<NodeId, std::size_t>>;  // node and input

// The step so many steps away; a node outside of time has none.
inline std::int32_t steps_from(std::int32_t step, std::int32_t by) { return step == no_step ? no_step : step + by; }

// What corresponds to what on an unrolled tape: which nodes do the same at every time step, which edges hand a state from step to step, what values are called.
class ProgramMap {
 public:
  // Nodes that do the same at every time step: by scope, operation, and the number among those.
  using Key = std::tuple<ScopeId, std::string_view, std::size_t>;
  using Members = std::vector<NodeId>;

  ProgramMap(Tape& tape, const ReverseWalk& walk);

  Tape& tape() const { return tape_; }
  std::size_t size() const { return depends_.size(); }
  const std::map<Key, Members>& classes() const { return classes_; }
  // Input i of all nodes of a class, where that depends on a leaf.
  Edges edges(const Members& members, std::size_t i) const;
  bool depends(NodeId id) const { return depends_[id]; }

  // The edges into each state of the step before, by its name; and, of the same edges at the first step, those into the leaf that stands for it there.
  const std::map<std::string, Edges>& between_steps() const { return between_; }
  const Edges& into_initial(const std::string& state) const;
  // The value called `name` at a step; before the first step, a state's leaf.
  std::optional<Var> named(const std::string& name, std::int32_t step) const;
  // The names of the values at one step that have one shape.
  std::vector<std::string> names(std::int32_t step, const Shape& shape) const;

  // A value as seen from a node: "lstm.W_h", "h_(t-1)", "f", "tanh(c)".
  std::string value(NodeId input, NodeId seen_from) const;
  // The next result with a name that a node goes into, which may be its own: a gate. "" if there is none.
  const std::string& next_name(NodeId id) const { return next_name_[id]; }
  // The gates that a product or sum computes side by side: the parts that are sliced from it, or from a sum that it is a term of.
  struct Gate {
    std::string name;
    std::int64_t axis, begin, end;
  };
  std::vector<Gate> gates(NodeId id) const;
  // "to h_(t-1) through f".
  std::string words(NodeId id, std::size_t input) const;

  // For an edge into the left factor x of a product x W: W. For one into the right factor: x. Otherwise empty.
  Var right_factor(const Edge& edge) const { return factor(edge, 0); }
  Var left_factor(const Edge& edge) const { return factor(edge, 1); }

 private:
  bool crosses(NodeId id, NodeId input) const;
  Var factor(const Edge& edge, std::size_t side) const;
  std::string side_by_side(NodeId id) const;
  void find_states(bool with_names);
  const std::string& next_after(NodeId id, std::size_t input) const;
  void find_classes();

  Tape& tape_;
  std::vector<bool> depends_;
  std::map<Key, Members> classes_;
  std::vector<std::string> next_name_;
  std::map<std::pair<std::string, std::int32_t>, NodeId> named_;
  std::map<std::string, Edges> between_, initial_;
  std::map<std::string, NodeId> before_first_;  // the leaf that stands for a state before the first step
};

}  // namespace unroll::detail
