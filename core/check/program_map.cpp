#include <unroll/core/check/program_map.hpp>

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::detail {

ProgramMap::ProgramMap(Tape& tape, const ReverseWalk& walk) : tape_(tape) {
  for (NodeId id = 0; id < tape.size(); ++id) depends_.push_back(walk.depends(id));
  find_classes();
  find_states(true);
  if (between_.empty()) find_states(false);  // then the operation is its name
}

void ProgramMap::find_classes() {
  std::map<std::tuple<ScopeId, std::int32_t, std::string_view>, std::size_t> seen;
  next_name_.resize(size());
  for (NodeId id = 0; id < size(); ++id) {
    const Node& node = tape_[id];
    if (node.place.phase != Phase::forward || node.op->is_leaf()) continue;
    const std::size_t number = seen[{node.place.scope, node.place.step, node.op->name}]++;
    if (!depends_[id]) continue;
    classes_[{node.place.scope, node.op->name, number}].push_back(id);
    if (!tape_.name(id).empty()) named_[{tape_.name(id), node.place.step}] = id;
  }
  for (auto id = static_cast<NodeId>(size()); id-- > 0;) {
    if (!tape_.name(id).empty()) next_name_[id] = tape_.name(id);
    const auto inputs = tape_.inputs(id);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string& next = next_after(id, i);
      if (!next.empty() && tape_.name(inputs[i]).empty()) next_name_[inputs[i]] = next;
    }
  }
}

// What comes next on the way from an input of a node: a result of custom_vjp goes on as the slice that is its own.
const std::string& ProgramMap::next_after(NodeId id, std::size_t input) const {
  const CustomPart* custom = custom_part(tape_, id);
  if (!custom || input < custom->inputs) return next_name_[id];
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < input - custom->inputs; ++i)
    begin += static_cast<std::int64_t>(custom->results[i].size());
  for (NodeId next = id + 1; next < size(); ++next)
    if (tape_[next].op->name == "slice" && tape_.inputs(next)[0] == id && tape_[next].attributes.ints[1] == begin)
      return next_name_[next];
  return next_name_[id];
}

bool ProgramMap::crosses(NodeId id, NodeId input) const {
  const std::int32_t to = tape_[id].place.step, from = tape_[input].place.step;
  return !tape_[input].op->is_leaf() && to >= 1 && from >= 1 && from != to;
}

void ProgramMap::find_states(bool with_names) {
  for (const auto& [key, members] : classes_)
    for (std::size_t i = 0; i < tape_.inputs(members[0]).size(); ++i) {
      std::string name;
      for (const NodeId id : members)
        if (const NodeId input = tape_.inputs(id)[i]; crosses(id, input) && with_names != tape_.name(input).empty()) {
          name = with_names ? tape_.name(input) : std::string(tape_[input].op->name);
          between_[name].insert({id, i});
        }
      if (name.empty()) continue;
      // at the first step, the state is a leaf, which has another name or none
      for (const NodeId id : members)
        if (const NodeId input = tape_.inputs(id)[i]; tape_[id].place.step >= 1 && tape_[input].op->is_leaf()) {
          initial_[name].insert({id, i});
          before_first_[name] = input;
        }
    }
}

Edges ProgramMap::edges(const Members& members, std::size_t i) const {
  Edges result;
  for (const NodeId id : members)
    if (const auto inputs = tape_.inputs(id); i < inputs.size() && depends_[inputs[i]]) result.insert({id, i});
  return result;
}

const Edges& ProgramMap::into_initial(const std::string& state) const {
  static const Edges none;
  const auto found = initial_.find(state);
  return found == initial_.end() ? none : found->second;
}

std::optional<Var> ProgramMap::named(const std::string& name, std::int32_t step) const {
  if (const auto found = named_.find({name, step}); found != named_.end()) return tape_.var(found->second);
  const auto first = before_first_.find(name);
  return step <= 0 && first != before_first_.end() ? std::optional(tape_.var(first->second)) : std::nullopt;
}

std::vector<std::string> ProgramMap::names(std::int32_t step, const Shape& shape) const {
  std::vector<std::string> result;
  for (const auto& [key, id] : named_)
    if (key.second == step && tape_[id].value.shape == shape) result.push_back(key.first);
  return result;
}

std::string ProgramMap::value(NodeId input, NodeId seen_from) const {
  for (const auto& [name, id] : before_first_)
    if (id == input) return name + "_(t-1)";
  if (const Parameter* parameter = tape_.parameter(input)) return parameter->name();
  if (const std::string& name = tape_.name(input); !name.empty()) {
    if (!crosses(seen_from, input)) return name;
    const std::int32_t here = tape_[seen_from].place.step, there = tape_[input].place.step;
    return there == steps_from(here, -1) ? name + "_(t-1)" : there == steps_from(here, 1) ? name + "_(t+1)" : name;
  }
  if (tape_[input].op->is_leaf())
    return tape_[input].value.size() == 1 ? fmt::format("{:g}", tape_[input].value.flat(0)) : "a constant";
  const std::string_view op = tape_[input].op->name;
  if (op == "slice") return fmt::format("a part of {}", value(tape_.inputs(input)[0], seen_from));
  if (op == "transpose" && tape_.parameter(tape_.inputs(input)[0])) return value(tape_.inputs(input)[0], seen_from);
  std::vector<std::string> arguments;
  for (const NodeId argument : tape_.inputs(input)) {
    if (tape_.name(argument).empty() && !tape_[argument].op->is_leaf()) return fmt::format("its {}", op);
    arguments.push_back(value(argument, seen_from));
  }
  for (const auto& [infix, sign] : {std::pair("add", " + "), std::pair("sub", " - "), std::pair("mul", " * ")})
    if (op == infix) return fmt::format("{}", fmt::join(arguments, sign));
  return fmt::format("{}({})", op, fmt::join(arguments, ", "));
}

std::vector<ProgramMap::Gate> ProgramMap::gates(NodeId id) const {
  if (!tape_.name(id).empty() || custom_part(tape_, id)) return {};
  std::vector<Gate> result;
  std::set<NodeId> whole{id};
  const Shape& shape = tape_[id].value.shape;
  for (NodeId next = id + 1; next < size(); ++next) {
    const auto inputs = tape_.inputs(next);
    if (std::none_of(inputs.begin(), inputs.end(), [&](NodeId input) { return whole.contains(input); })) continue;
    if (tape_[next].op->name == "add" && tape_[next].value.shape == shape) whole.insert(next);
    if (tape_[next].op->name != "slice" || next_name_[next].empty()) continue;
    const auto& at = tape_[next].attributes.ints;
    const std::int64_t axis = at[0] < 0 ? at[0] + static_cast<std::int64_t>(shape.rank()) : at[0];
    const std::int64_t begin = at[1] < 0 ? at[1] + shape[static_cast<std::size_t>(axis)] : at[1];
    result.push_back({next_name_[next], axis, begin, begin + tape_[next].value.shape[static_cast<std::size_t>(axis)]});
  }
  return result;
}

// "i, f, g, o"; "" for a node that computes no gates side by side.
std::string ProgramMap::side_by_side(NodeId id) const {
  std::vector<std::string> names;
  for (const Gate& gate : gates(id)) names.push_back(gate.name);
  return names.size() < 2 ? std::string() : fmt::format("{}", fmt::join(names, ", "));
}

std::string ProgramMap::words(NodeId id, std::size_t input) const {
  const std::string to = value(tape_.inputs(id)[input], id);
  const std::string& next = next_after(id, input);
  const std::string gates = side_by_side(id);
  const std::string over = !gates.empty() ? gates : next.empty() ? std::string(tape_[id].op->name) : next;
  if (to.starts_with("its ") && tape_.inputs(id).size() == 1 && !tape_.name(id).empty())
    return fmt::format("to the argument of the {} that gives {}", tape_[id].op->name, over);
  return to == over ? "to " + to : fmt::format("to {} through {}", to, over);
}

Var ProgramMap::factor(const Edge& edge, std::size_t side) const {
  const std::string_view op = tape_[edge.node].op->name;
  const auto inputs = tape_.inputs(edge.node);
  const bool in_a_product = op == "matmul" || (op == "affine" && edge.input + 1 < inputs.size());
  if (!in_a_product || edge.input % 2 != side) return {};
  return tape_.var(inputs[side == 0 ? edge.input + 1 : edge.input - 1]);
}

}  // namespace unroll::detail
