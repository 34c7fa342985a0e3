#include <unroll/core/render/program.hpp>

#include <unroll/core/grad/cuts.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

// How a product, a sum, ... is written between its operands; empty for the other operations.
std::string_view infix(const Op& op) {
  if (op.name == "add") return "+";
  if (op.name == "sub") return "−";
  if (op.name == "mul") return "⊙";
  if (op.name == "div") return "÷";
  return {};
}

// What a label can say of a weight: a part of it, or its transpose.
bool is_view_by_name(const Op& op) { return op.name == "slice" || op.name == "transpose"; }

}  // namespace

Program::Program(const Tape& tape, Phase phase, ParameterView parameters)
    : tape_(tape),
      phase_(phase),
      kinds_(tape.size()),
      in_labels_(tape.size()),
      steps_(tape.size()),
      operands_(tape.size()),
      readers_(tape.size()) {
  find_labels(parameters);
  phase == Phase::forward ? choose_forward() : choose_backward();
  connect();
  choose_steps();
}

bool Program::is_part_of_input(NodeId id) const {
  if (phase_ != Phase::forward || tape_[id].op->name != "select") return false;
  const NodeId whole = tape_.inputs(id)[0];
  return tape_[whole].op->is_leaf() || tape_[whole].place.step != tape_[id].place.step;
}

// ---- which nodes

// Parameters and parts of them, numbers, and arrays without a name, unless they are initial states.
void Program::find_labels(ParameterView parameters) {
  for (NodeId id = 0; id < tape_.size(); ++id) {
    const Node& node = tape_[id];
    if (node.op == &parameter_op())
      in_labels_[id] = parameters == ParameterView::labels;
    else if (node.op == &constant_op())
      in_labels_[id] = node.name == 0 && (node.value.size() == 1 || node.place.step != 0);
    else if (is_view_by_name(*node.op))
      in_labels_[id] = node.name == 0 && in_labels_[tape_.inputs(id)[0]];
  }
}

void Program::choose_forward() {
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (tape_[id].place.phase == Phase::forward && !in_labels_[id])
      kinds_[id] = tape_[id].op == &parameter_op() ? Kind::parameter
                   : tape_[id].op->is_leaf()       ? Kind::leaf
                                                   : Kind::computed;
  choose_cuts();
}

void Program::choose_cuts() {
  std::vector<bool> on_line(tape_.size());  // read, and by other steps only
  for (NodeId id = 0; id < tape_.size(); ++id) on_line[id] = kinds_[id] == Kind::computed && is_cut(tape_, id);
  std::vector<bool> is_read(tape_.size());
  for (NodeId id = 0; id < tape_.size(); ++id)
    for (NodeId input : tape_.inputs(id)) {
      if (!on_line[input]) continue;
      const std::int32_t from = tape_[tape_.inputs(input)[0]].place.step, to = tape_[id].place.step;
      if (to == no_step || to == from) on_line[input] = false;
      is_read[input] = true;
    }
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (on_line[id] && is_read[id] && kinds_[tape_.inputs(id)[0]] == Kind::computed) kinds_[id] = Kind::cut;
}

void Program::choose_backward() {
  const auto n = static_cast<NodeId>(tape_.size());
  adjoint_of_.assign(n, no_node);
  std::vector<bool> wanted(n);
  // Of an input that steps read in parts, the adjoints of the parts say all; putting them together again would run through all steps.
  std::vector<bool> read_in_parts(n);
  for (NodeId id = 0; id < n; ++id)
    if (tape_[id].place.phase == Phase::forward)
      for (NodeId input : tape_.inputs(id))
        if (tape_[input].op == &input_op() && tape_[id].op->name == "select") read_in_parts[input] = true;
  for (NodeId id = 0; id < n; ++id)
    if (tape_[id].place.phase == Phase::forward && tape_[id].op->name != "select")
      for (NodeId input : tape_.inputs(id)) read_in_parts[input] = false;
  for (NodeId id = 0; id < n; ++id) {
    const NodeId adjoint = tape_[id].adjoint;
    if (adjoint == no_node || adjoint >= n || tape_[id].place.phase != Phase::forward ||
        tape_[id].op == &parameter_op() || in_labels_[id] || read_in_parts[id])
      continue;
    wanted[adjoint] = true;
    if (adjoint_of_[adjoint] == no_node || tape_[id].name != 0) adjoint_of_[adjoint] = id;
  }
  for (NodeId id = n; id-- > 0;)
    if (wanted[id])
      for (NodeId input : tape_.inputs(id)) wanted[input] = true;
  // What depends on no adjoint is a local derivative. The adjoint of the loss is where it begins.
  for (NodeId id = 0; id < n; ++id) {
    if (tape_[id].place.phase != Phase::backward || !wanted[id]) continue;
    const auto inputs = tape_.inputs(id);
    if (std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) { return is_drawn(input); }))
      kinds_[id] = Kind::computed;
    else if (inputs.empty() && adjoint_of_[id] != no_node)
      kinds_[id] = Kind::leaf;
  }
}

void Program::connect() {
  for (NodeId id = 0; id < tape_.size(); ++id) {
    if (!is_drawn(id)) continue;
    for (NodeId input : tape_.inputs(id)) {
      const bool behind_part = tape_[input].op->is_leaf() && is_part_of_input(id);
      if (!is_drawn(input) || behind_part || std::count(operands_[id].begin(), operands_[id].end(), input)) continue;
      operands_[id].push_back(input);
      readers_[input].push_back(id);
    }
  }
  for (NodeId id = 0; id < tape_.size(); ++id)
    if ((kinds_[id] == Kind::leaf || kinds_[id] == Kind::parameter) && readers_[id].empty()) kinds_[id] = Kind::hidden;
}

void Program::choose_steps() {
  for (NodeId id = 0; id < tape_.size(); ++id) {
    const std::int32_t own = steps_[id] = tape_[id].place.step;
    if (phase_ != Phase::backward || kinds_[id] != Kind::computed || own == no_step || tape_[id].op->name != "add")
      continue;
    const auto& operands = operands_[id];
    if (operands.size() < 2) continue;
    const std::int32_t first = steps_[operands[0]];
    const bool all_there =
        std::all_of(operands.begin(), operands.end(), [&](NodeId operand) { return steps_[operand] == first; });
    if (all_there && first != no_step) steps_[id] = first;
  }
}

// ---- what they are called

std::string Program::name(NodeId id) const {
  const NodeId of = named(id);
  const std::string& name = tape_.name(of);
  return of == shown(id) || name.empty() ? name : "d" + name;
}

std::string Program::full_name(NodeId id) const { return at_step(name(id), step(id)); }

std::string Program::reference(NodeId id, NodeId reader) const {
  const Node& node = tape_[id];
  if (node.op == &parameter_op()) {
    const std::string& name = tape_.parameter(id)->name();
    return name.substr(name.rfind('.') + 1);
  }
  if (in_labels_[id] && is_view_by_name(*node.op)) {
    const std::string whole = reference(tape_.inputs(id)[0], reader);
    if (node.op->name == "transpose") return whole + "ᵀ";
    return fmt::format("{}[{}:{}]", whole, node.attributes.ints[1], node.attributes.ints[2]);
  }
  if (const std::string plain = name(id); !plain.empty()) {
    const std::int32_t from = step(id), at = tape_[reader].place.step;
    const bool elsewhere = phase_ == Phase::backward && from != no_step && at != no_step && from != at;
    return elsewhere ? fmt::format("{}_t{:+}", plain, from - at) : plain;
  }
  if (node.op == &constant_op()) return node.value.size() == 1 ? fmt::format("{:.4g}", node.value.item()) : "constant";
  if (node.op->name == "select") return reference(tape_.inputs(id)[0], reader);
  if (phase_ == Phase::backward && !is_drawn(id)) {
    if (node.op->name == "transpose") return reference(tape_.inputs(id)[0], reader) + "ᵀ";
    if (node.place.phase == Phase::forward) {
      constexpr std::size_t longest = 16;
      const std::string text = expression(id);
      return text.size() <= longest ? "(" + text + ")" : std::string(node.op->name);
    }
    if (node.origin != no_node) return fmt::format("{}′", tape_[node.origin].op->name);
  }
  return "·";
}

std::string Program::expression(NodeId id) const {
  const Op& op = *tape_[id].op;
  const auto inputs = tape_.inputs(id);
  const auto folded = [&](std::size_t i) {
    return phase_ == Phase::forward ? is_in_labels(inputs[i]) : !is_drawn(inputs[i]);
  };
  const auto ref = [&](std::size_t i) { return reference(inputs[i], id); };
  if (const std::string_view sign = infix(op); !sign.empty() && inputs.size() == 2) {
    const bool in_order = op.name == "sub" || op.name == "div";
    if (folded(0) && !folded(1))
      return in_order ? fmt::format("{} {}", ref(0), sign) : fmt::format("{} {}", sign, ref(0));
    if (folded(0) && folded(1)) return fmt::format("{} {} {}", ref(0), sign, ref(1));
    if (folded(1)) return fmt::format("{} {}", sign, ref(1));
    return std::string(sign);
  }
  if (op.name == "neg") return "−";
  bool any_folded = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) any_folded |= folded(i);
  if (op.name == "matmul" && any_folded) return fmt::format("{} {}", ref(0), ref(1));
  if (op.name == "affine" && inputs.size() == 3) return fmt::format("{} {} + {}", ref(0), ref(1), ref(2));
  if (op.name == "affine" && inputs.size() == 5)
    return fmt::format("{} {} + {} {} + {}", ref(0), ref(1), ref(2), ref(3), ref(4));
  if (op.name == "slice") return fmt::format("[{} : {}]", tape_[id].attributes.ints[1], tape_[id].attributes.ints[2]);
  std::string text(op.name);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (folded(i)) text += " " + ref(i);
  return text;
}

}  // namespace unroll::drawing
