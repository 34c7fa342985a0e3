#include <unroll/core/render/names.hpp>

#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

namespace unroll {

namespace {

using Parts = std::vector<std::string_view>;

Parts split(std::string_view text, char separator) {
  Parts parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "lstm.W_f" as module "lstm" and name "W_f".
std::size_t module_length(std::string_view parameter) {
  const std::size_t dot = parameter.rfind('.');
  return dot == std::string_view::npos ? 0 : dot + 1;
}

std::string short_name(const Tape& tape, NodeId id) {
  const std::string& name = tape.name(id);
  if (name.empty()) return {};
  const bool is_parameter = tape[id].op == &parameter_op();
  return at_step(is_parameter ? std::string_view(name).substr(module_length(name)) : name, tape[id].place.step);
}

// What may stand before the short name, outermost first.
Parts surroundings(const Tape& tape, NodeId id) {
  if (tape[id].op != &parameter_op()) return split(tape.path(tape[id].place.scope), '/');
  const std::string_view name = tape.name(id);
  return split(name.substr(0, module_length(name)), '.');
}

std::string qualified(const Parts& parts, std::size_t begin, std::size_t count, const std::string& name) {
  std::string text;
  for (std::size_t i = begin; i < std::min(begin + count, parts.size()); ++i) text.append(parts[i]).append(".");
  return text + name;
}

// The names of several nodes that share a short one: with the parts that all have in common left out, and of the others
// only as many as tell most of the nodes apart.
std::vector<std::string> told_apart(const Tape& tape, const std::vector<NodeId>& nodes, const std::string& name) {
  std::vector<Parts> parts;
  for (NodeId id : nodes) parts.push_back(surroundings(tape, id));
  std::size_t common = parts[0].size(), longest = 0;
  for (const Parts& own : parts) {
    const auto [difference, other] = std::mismatch(own.begin(), own.end(), parts[0].begin(), parts[0].end());
    common = std::min(common, static_cast<std::size_t>(difference - own.begin()));
    longest = std::max(longest, own.size());
  }
  std::vector<std::string> best(nodes.size(), name);
  std::size_t most = 1;
  for (std::size_t count = 1; count <= longest - common; ++count) {
    std::vector<std::string> names;
    for (const Parts& own : parts) names.push_back(qualified(own, common, count, name));
    const std::size_t different = std::unordered_set<std::string>(names.begin(), names.end()).size();
    if (different > most) best = std::move(names);
    most = std::max(most, different);
  }
  return best;
}

}  // namespace

Names::Names(const Tape& tape) : names_(tape.size()) {
  std::unordered_map<std::string, std::vector<NodeId>> sharing;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (std::string name = short_name(tape, id); !name.empty()) sharing[std::move(name)].push_back(id);
  std::map<NodeId, std::string> in_order;  // so that of equal names the first node's stays as it is
  for (const auto& [name, nodes] : sharing) {
    const std::vector<std::string> names =
        nodes.size() == 1 ? std::vector<std::string>{name} : told_apart(tape, nodes, name);
    for (std::size_t i = 0; i < nodes.size(); ++i) in_order.emplace(nodes[i], names[i]);
  }
  for (auto& [id, name] : in_order) names_[id] = fresh(std::move(name), id);
}

std::string Names::fresh(std::string proposed, NodeId id) {
  if (!taken_.insert(proposed).second) {
    proposed += fmt::format("#{}", id);
    taken_.insert(proposed);
  }
  return proposed;
}

std::string at_step(std::string_view name, std::int32_t step) {
  return step == no_step ? std::string(name) : fmt::format("{}_{}", name, step);
}

std::string with_prefix(std::string_view prefix, std::string_view name) {
  const std::size_t last = module_length(name.substr(0, name.find_first_of("('")));
  return fmt::format("{}{}{}", name.substr(0, last), prefix, name.substr(last));
}

}  // namespace unroll
