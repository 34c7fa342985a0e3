#pragma once

#include <unroll/core/tape/arena.hpp>
#include <unroll/core/tape/node_list.hpp>
#include <unroll/core/tape/parameter.hpp>
#include <unroll/core/tape/pool.hpp>
#include <unroll/core/tape/var.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unroll {

// A recorded program: a flat list of nodes in the order in which they were computed. Operations find the tape through their
// operands, so there is no current tape and several can live side by side (one tape belongs to one thread at a time).
// See docs/architecture.md and tutorials/02/README.md.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // ---- leaves

  // An input whose gradient is wanted. The memory of the array is shared, not copied.
  Var input(Array value, std::string_view name = {});
  // An input whose gradient is not wanted: nothing is computed for it in the backward pass.
  Var constant(Array value, std::string_view name = {});
  // A constant over memory that the caller keeps alive and unchanged until the tape is cleared or destroyed.
  Var constant_view(const ArrayView& value, std::string_view name = {});
  // A constant of rank 0.
  Var scalar(double value, DType dtype);
  // The node of a parameter: recorded at its first use, the same one from then on.
  Var use(const Parameter& parameter);

  // ---- reading the program

  // The number of nodes.
  std::size_t size() const { return nodes_.size(); }
  // A node by its index, which must be below size().
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  // A handle to a node.
  Var var(NodeId id) const;
  // Valid until the next operation is recorded.
  std::span<const NodeId> inputs(NodeId id) const {
    return {inputs_.data() + nodes_[id].first_input, nodes_[id].input_count};
  }
  // "lstm/forget" of a scope; "" outside of any.
  const std::string& path(ScopeId scope) const { return scopes_[scope].path; }
  // The scope around a scope; 0 of the outermost.
  ScopeId parent(ScopeId scope) const { return scopes_[scope].parent; }
  // "forget" of "lstm/forget".
  std::string_view last_part(ScopeId scope) const;
  // As given by named(), without the step; "" if none was given.
  const std::string& name(NodeId id) const { return names_[nodes_[id].name]; }
  // The parameter behind a node; nullptr if the node is none.
  const Parameter* parameter(NodeId id) const;
  // Where a node stands, for messages: "[lstm/forget, t = 3, node 41]".
  std::string where(NodeId id) const;
  std::string where(const Place& place, NodeId id) const;
  // The listing of the whole tape on stderr, for a debugger. Defined in core/render/listing.cpp.
  void dump() const;

  // ---- the life of the recording

  // Forgets all nodes and keeps the memory for the next recording. Vars of before become invalid and say so.
  void clear();
  // Bytes held for values, attributes and adjoints.
  std::size_t bytes_reserved() const { return arena_.reserved() + pool_->reserved(); }

  // ---- for the engine: apply(), the sweeps, and the RAII classes below

  // How far the tape was recorded.
  struct Mark {
    std::size_t nodes, inputs, held;  // how many there were
    Arena::Mark arena;                // how far the memory was used
  };
  // How far the tape is recorded now.
  Mark mark() const { return {nodes_.size(), inputs_.size(), held_.size(), arena_.mark()}; }
  // Forgets everything recorded since the mark. Vars of forgotten nodes must not be used again.
  void rollback(const Mark& mark);

  // A new node at the present place, to be filled in.
  Node& append(const Op& op, std::span<const NodeId> inputs);
  // Keeps something until it is forgotten with the nodes around it; gives the index by which held() finds it again.
  std::size_t hold(std::shared_ptr<void> object) {
    held_.push_back(std::move(object));
    return held_.size() - 1;
  }
  // What hold() kept.
  void* held(std::size_t index) const { return held_[index].get(); }
  // A node by its index, to be changed.
  Node& mutable_node(NodeId id) { return nodes_[id]; }
  // The memory of values and attributes.
  Arena& arena() { return arena_; }
  // The buffers of adjoints.
  const std::shared_ptr<Pool>& pool() const { return pool_; }
  // The node that was recorded last.
  NodeId last() const { return static_cast<NodeId>(nodes_.size() - 1); }
  // Names a node, as Var::named() does.
  void set_name(NodeId id, std::string_view name);
  // The node of a parameter on this tape, or no_node.
  NodeId find(const Parameter& parameter) const;
  // Throws GradientError if a parameter that was recorded has changed since.
  void require_unchanged_parameters() const;

  Place place;              // where the next node is recorded
  NodeId origin = no_node;  // the forward node whose rule is running, if any
  bool lazy = false;        // append without evaluating: the reverse sweep decides where results go
  std::vector<void*>
      adjoints;           // of an unrecorded backward pass, by node; kept here for its memory, all null between passes
  bool sweeping = false;  // while an unrecorded backward pass runs
  // By which a Var knows whether the tape is still there.
  detail::LifeSign* life() const { return life_; }

  // The scope of this name inside of the present one; Scope enters and leaves it.
  ScopeId enter(std::string_view part);

 private:
  struct ScopeEntry {
    std::string path;
    ScopeId parent = 0;
    std::size_t last_part = 0;  // where the last part begins in `path`
    std::vector<ScopeId> children;
  };
  struct ParameterUse {
    Parameter parameter;
    NodeId node;
    std::uint64_t version;
  };

  Var leaf(const Op& op, const ArrayView& value, bool tracked, std::string_view name);

  NodeList nodes_;
  std::vector<NodeId> inputs_;
  Arena arena_;
  std::shared_ptr<Pool> pool_;
  std::vector<std::shared_ptr<void>> held_;  // memory of leaves, functions of checkpoints
  std::deque<ParameterUse> parameters_;
  std::unordered_map<const void*, std::size_t> parameter_index_;
  std::deque<ScopeEntry> scopes_;  // deques: references that were given out stay valid
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, NameId> name_index_;
  std::array<NameId, 64> recent_names_{};  // by the address of the text: names are mostly literals
  detail::LifeSign* life_;
};

inline const Node& Var::node() const { return tape()[id_]; }

// While it lives, what is recorded on the tape belongs to a part of the network: Scope layer(tape, "lstm"), inside it
// Scope gate(tape, "forget"), gives "lstm/forget".
class Scope {
 public:
  // Enters the part, until the object is gone.
  Scope(Tape& tape, std::string_view part) : tape_(tape), before_(tape.place.scope) {
    tape.place.scope = tape.enter(part);
  }
  ~Scope() { tape_.place.scope = before_; }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Tape& tape_;
  ScopeId before_;
};

// While it lives, what is recorded on the tape belongs to time step t: 1 is the first step, 0 the initial state.
class Step {
 public:
  // Enters the step, until the object is gone.
  Step(Tape& tape, std::int64_t t) : tape_(tape), before_(tape.place.step) {
    tape.place.step = static_cast<std::int32_t>(t);
  }
  ~Step() { tape_.place.step = before_; }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  Tape& tape_;
  std::int32_t before_;
};

// While it lives, recording may go on at another place of the network, or in another way; then it goes on as before. For the sweeps.
class Elsewhere {
 public:
  // Remembers where the tape records, until the object is gone.
  explicit Elsewhere(Tape& tape) : tape_(tape), place_(tape.place), origin_(tape.origin), lazy_(tape.lazy) {}
  ~Elsewhere() {
    tape_.place = place_;
    tape_.origin = origin_;
    tape_.lazy = lazy_;
  }
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

 private:
  Tape& tape_;
  Place place_;
  NodeId origin_;
  bool lazy_;
};

}  // namespace unroll
