#pragma once

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
  Program(const Tape& tape, Phase phase);

  // A cut (core/grad/cuts.hpp) that only other steps read is no box but a mark on the line from the state that it cuts off.
  enum class Kind : std::uint8_t { hidden, leaf, computed, cut };

  Kind kind(NodeId id) const { return kinds_[id]; }
  bool is_drawn(NodeId id) const { return kinds_[id] != Kind::hidden; }
  // The drawn ones, each once.
  const std::vector<NodeId>& operands(NodeId id) const { return operands_[id]; }
  const std::vector<NodeId>& readers(NodeId id) const { return readers_[id]; }

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
  // What a reader calls an operand: "W_f", "x", "0.5", "c_t-1"; "·" where there is no name.
  std::string reference(NodeId id, NodeId reader) const;

 private:
  bool is_written_into_labels(NodeId id) const;
  void choose_forward();
  void choose_cuts();
  void choose_backward();
  void connect();
  // The node whose name is shown: of an adjoint, the forward node; of a cut, what it cuts off.
  NodeId named(NodeId id) const {
    return adjoint_of_.empty() || adjoint_of_[id] == no_node ? shown(id) : adjoint_of_[id];
  }

  const Tape& tape_;
  const Phase phase_;
  std::vector<Kind> kinds_;
  std::vector<std::vector<NodeId>> operands_, readers_;
  std::vector<NodeId> adjoint_of_;  // of the backward pass: a forward node, a named one if possible
};

}  // namespace unroll::drawing
