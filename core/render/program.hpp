#pragma once

#include <unroll/core/render/render.hpp>
#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Which nodes of a tape a drawing shows, what they read of each other, and what they are called. Parameters, numbers and whatever else is not
// shown is written into the labels of its readers instead: "x W_f", "1 −".
namespace unroll::drawing {

class Program {
 public:
  // The forward pass; or the backward pass, where only the adjoints are shown, and not those of parameters: forward values and
  // local derivatives are written into the labels ("⊙ c_t-1", "⊙ tanh′").
  Program(const Tape& tape, Phase phase, ParameterView parameters);

  // A cut (core/grad/cuts.hpp) that only other steps read is no box but a mark on the line from the state that it cuts off.
  enum class Kind : std::uint8_t { hidden, leaf, parameter, computed, cut };

  Kind kind(NodeId id) const { return kinds_[id]; }
  bool is_drawn(NodeId id) const { return kinds_[id] != Kind::hidden; }
  // The drawn ones, each once.
  const std::vector<NodeId>& operands(NodeId id) const { return operands_[id]; }
  const std::vector<NodeId>& readers(NodeId id) const { return readers_[id]; }
  // The time step that a node is drawn at: its own, but that a sum of what one other step hands back is made there already, so that one line
  // comes back from it.
  std::int32_t drawn_step(NodeId id) const { return steps_[id]; }

  // The node that is shown for this one: of a cut, what it cuts off.
  NodeId shown(NodeId id) const { return kinds_[id] == Kind::cut ? tape_.inputs(id)[0] : id; }

  // A step's part of an input: reads as the input itself.
  bool is_part_of_input(NodeId id) const;

  // The name, without the step: "h"; of the adjoint of h, "dh". Empty if there is none.
  std::string name(NodeId id) const;
  // The step that belongs to the name.
  std::int32_t step(NodeId id) const { return tape_[named(id)].place.step; }
  // "h_2"
  std::string full_name(NodeId id) const;
  // What is computed: "+ b_f", "x W_f", "⊙", "tanh".
  std::string expression(NodeId id) const;
  // Whether a node has no box because it is written into the labels of its readers.
  bool is_in_labels(NodeId id) const { return kinds_[id] == Kind::hidden && in_labels_[id]; }
  // What a reader calls an operand: "W_f", "x", "0.5", "c_t-1"; "·" where there is no name.
  std::string reference(NodeId id, NodeId reader) const;

 private:
  void find_labels(ParameterView parameters);
  void choose_forward();
  void choose_cuts();
  void choose_backward();
  void connect();
  void choose_steps();
  // The node whose name is shown: of an adjoint, the forward node; of a cut, what it cuts off.
  NodeId named(NodeId id) const {
    return adjoint_of_.empty() || adjoint_of_[id] == no_node ? shown(id) : adjoint_of_[id];
  }

  const Tape& tape_;
  const Phase phase_;
  std::vector<Kind> kinds_;
  std::vector<bool> in_labels_;
  std::vector<std::int32_t> steps_;
  std::vector<std::vector<NodeId>> operands_, readers_;
  std::vector<NodeId> adjoint_of_;  // of the backward pass: a forward node, a named one if possible
};

}  // namespace unroll::drawing
