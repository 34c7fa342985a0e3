#include <unroll/core/render/node_equations.hpp>

#include <unroll/core/render/names.hpp>
#include <unroll/core/render/operation_table.hpp>

#include <utility>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::size_t longest_part = 60;       // of what is written where it is used, in bytes
constexpr std::size_t longest_equation = 300;  // a list of targets may be as long as the data
constexpr std::size_t most_operands = 8;       // of operations that take any number

bool is_uniform(const ArrayView& array) {
  for (std::size_t i = 1; i < array.size(); ++i)
    if (array.flat(i) != array.flat(0)) return false;
  return array.size() > 0;
}

std::string shortened(std::string text) {
  if (text.size() <= longest_equation) return text;
  std::size_t end = longest_equation;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  text.resize(end);
  return text + " ...";
}

class Equations {
 public:
  explicit Equations(const Tape& tape)
      : tape_(tape),
        names_(tape),
        labels_(tape.size()),
        parts_(tape.size()),
        adjoint_of_(tape.size(), no_node),
        inside_(tape.size(), no_node),
        is_tangent_(tape.size()) {
    // of the nodes that a forward-mode rule recorded, the last is the tangent
    std::vector<NodeId> tangents(tape.size(), no_node);
    for (NodeId id = 0; id < tape.size(); ++id) {
      const Node& node = tape[id];
      if (node.adjoint != no_node && (!names_[id].empty() || adjoint_of_[node.adjoint] == no_node))
        adjoint_of_[node.adjoint] = id;
      if (node.place.phase == Phase::tangent && node.origin != no_node) tangents[node.origin] = id;
    }
    for (const NodeId id : tangents)
      if (id != no_node) is_tangent_[id] = true;
    for (NodeId id = static_cast<NodeId>(tape.size()); id-- > 0;)
      if (tape[id].place.phase == Phase::forward)
        for (const NodeId input : tape.inputs(id)) inside_[input] = names_[id].empty() ? inside_[id] : id;
  }

  std::vector<std::string> texts() {
    std::vector<std::string> result;
    result.reserve(tape_.size());
    for (NodeId id = 0; id < tape_.size(); ++id) result.push_back(shortened(text(id)));
    return result;
  }

 private:
  std::string text(NodeId id) {
    const Node& node = tape_[id];
    std::string& label = labels_[id];
    label = proposed_label(id);
    Symbol right;
    if (!node.op->is_leaf())
      right = expression(id);
    else if (node.op == &constant_op() && is_uniform(node.value))
      right = symbol(node.value.flat(0));
    const bool can_be_a_part =
        !right.text.empty() && right.text.size() <= longest_part && (!node.op->is_leaf() || node.value.size() == 1);
    if (label.empty() && !can_be_a_part) label = names_.fresh(at_step(node.op->name, node.place.step), id);
    if (right.text.empty()) return {};
    if (!label.empty()) return label + " = " + right.text;
    parts_[id] = right;
    return right.text;
  }

  // "" if nothing gives it a name.
  std::string proposed_label(NodeId id) {
    if (!names_[id].empty()) return names_[id];
    const Node& node = tape_[id];
    const auto is_named = [&](NodeId other) { return other != no_node && !names_[other].empty(); };
    if (const NodeId of = adjoint_of_[id]; of != no_node) {
      if (is_named(of)) return names_.fresh(with_prefix("d", names_[of]), id);
      if (is_named(inside_[of])) return names_.fresh(with_prefix("delta_", names_[inside_[of]]), id);
    }
    if (is_tangent_[id] && is_named(node.origin)) return names_.fresh(names_[node.origin] + "'", id);
    // an adjoint to which contributions are still to be added
    if (node.place.phase == Phase::backward && node.op->name == "add" && is_named(node.origin)) {
      const std::string name = with_prefix("d", names_[node.origin]);
      if (tape_[node.origin].place.step != no_step || node.place.step == no_step)
        return names_.fresh(name + "(part)", id);
      return names_.fresh(fmt::format("{}(to t = {})", name, node.place.step), id);
    }
    return {};
  }

  Symbol operand(NodeId id) const {
    Symbol result = labels_[id].empty() ? parts_[id] : Symbol{labels_[id]};
    result.shape = &tape_[id].value.shape;
    return result;
  }

  Symbol expression(NodeId id) const {
    const Node& node = tape_[id];
    const auto inputs = tape_.inputs(id);
    std::vector<Symbol> operands;
    if (node.op->arity == any_number && inputs.size() > most_operands)
      operands = {operand(inputs[0]), operand(inputs[1]), operand(inputs[2]), Symbol{"..."}, operand(inputs.back())};
    else
      for (const NodeId input : inputs) operands.push_back(operand(input));
    return formula(*node.op, operands, node.attributes);
  }

  const Tape& tape_;
  Names names_;
  std::vector<std::string> labels_;  // "" of what is written where it is used
  std::vector<Symbol> parts_;        // of the others
  std::vector<NodeId> adjoint_of_;   // of several nodes, the last one with a name
  std::vector<NodeId> inside_;       // of a node of the forward pass, the first with a name on the way from it
  std::vector<bool> is_tangent_;
};

}  // namespace

std::vector<std::string> node_equations(const Tape& tape) { return Equations(tape).texts(); }

}  // namespace unroll
