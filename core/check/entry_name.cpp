#include <unroll/core/check/entry_name.hpp>

#include <unroll/core/check/reverse_walk.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::detail {

namespace {

bool is_gate(const Tape& tape, NodeId id) {
  const std::string_view op = tape[id].op->name;
  return tape[id].place.phase == Phase::forward && tape[id].place.step >= 1 && !tape.name(id).empty() &&
         (op == "tanh" || op == "sigmoid" || op == "relu");
}

}  // namespace

std::vector<std::string> gates_of_columns(Tape& tape, const CheckedLeaf& leaf) {
  const Shape& shape = leaf.parameter.shape();
  const NodeId node = tape.find(leaf.parameter);
  if (node == no_node || shape.rank() == 0 || !leaf.axes.empty()) return {};
  const std::int64_t columns = shape[shape.rank() - 1];
  std::vector<std::string> result(static_cast<std::size_t>(columns));
  std::int32_t step = no_step;
  for (NodeId gate = 0; gate < tape.size(); ++gate) {
    if (!is_gate(tape, gate)) continue;
    if (step == no_step) step = tape[gate].place.step;
    if (tape[gate].place.step != step) continue;
    ReverseWalk walk(tape, {node});
    const Array ones = Array::filled(tape[gate].value.shape, 1, tape[gate].value.dtype);
    const Array reached = walk.gradients(gate, ones)[0];
    for (std::size_t i = 0; i < reached.size(); ++i)
      if (std::string& name = result[i % static_cast<std::size_t>(columns)]; reached.flat(i) != 0 && name.empty())
        name = tape.name(gate);
  }
  if (std::all_of(result.begin(), result.end(), [&](const std::string& name) { return name == result[0]; })) return {};
  return result;
}

std::string entry_name(const CheckedLeaf& leaf, std::size_t position, const std::vector<std::string>& gates) {
  const std::vector<std::int64_t> index = index_of(leaf.parameter.shape(), position);
  std::vector<std::string> labelled;
  std::vector<std::int64_t> plain;
  for (std::size_t axis = 0; axis < index.size(); ++axis) {
    const std::string label = axis < leaf.axes.size() ? leaf.axes[axis] : "";
    if (label == "t")
      labelled.push_back(fmt::format("t = {}", index[axis] + 1));
    else if (!label.empty())
      labelled.push_back(fmt::format("{} {}", label, index[axis]));
    else
      plain.push_back(index[axis]);
  }
  if (!gates.empty() && !plain.empty()) {
    const auto column = static_cast<std::size_t>(plain.back());
    if (!gates[column].empty()) {
      labelled.push_back("gate " + gates[column]);
      const auto first = std::find(gates.begin(), gates.end(), gates[column]);
      plain.back() -= first - gates.begin();
    }
  }
  std::string text = leaf.parameter.name();
  if (!labelled.empty()) text += fmt::format("[{}]", fmt::join(labelled, ", "));
  if (!plain.empty()) text += fmt::format("[{}]", fmt::join(plain, ", "));
  return text;
}

}  // namespace unroll::detail
