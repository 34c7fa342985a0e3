#include <unroll/core/check/finite.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/tape/op.hpp>

#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

namespace {

bool nonfinite(const Tape& tape, NodeId id) { return nonfinite_position(tape[id].value).has_value(); }

bool has_nan(const ArrayView& array) {
  for (std::size_t i = 0; i < array.size(); ++i)
    if (std::isnan(array.flat(i))) return true;
  return false;
}

// The earliest node from which something not finite reached one of these, through nodes that are not finite themselves. Nodes that are off this way
// may well be infinite: the -inf of a mask is gone after a softmax.
NodeId source(const Tape& tape, const std::vector<NodeId>& ends) {
  std::vector<bool> reached(tape.size());
  for (NodeId end : ends) reached[end] = true;
  NodeId made = no_node, constant = no_node;
  for (auto id = static_cast<NodeId>(tape.size()); id-- > 0;) {
    if (!reached[id]) continue;
    bool made_here = true;
    for (NodeId input : tape.inputs(id))
      if (reached[input] || nonfinite(tape, input)) {
        reached[input] = true;
        made_here = false;
      }
    if (!made_here) continue;
    const bool mask = tape[id].op == &constant_op() && !has_nan(tape[id].value);
    (mask ? constant : made) = id;
  }
  return made != no_node ? made : constant;
}

// The next result with a name that a node goes into, perhaps through nodes that are not finite only: of a product or a slice in a cell, the gate.
// "" if there is none.
std::string next_name(const Tape& tape, NodeId from, bool through_nonfinite_only) {
  std::vector<bool> followed(tape.size());
  followed[from] = true;
  for (NodeId id = from + 1; id < tape.size(); ++id)
    for (NodeId input : tape.inputs(id)) {
      if (!followed[input]) continue;
      if (!tape.name(id).empty()) return tape.name(id);
      followed[id] = !through_nonfinite_only || nonfinite(tape, id);
    }
  return {};
}

// "inf", or "inf at (0, 5)" in an array. NaN is written without its sign, which means nothing.
std::string element(const ArrayView& array) {
  const std::size_t position = *nonfinite_position(array);
  const double value = array.flat(position);
  const std::string text = fmt::format("{}", std::isnan(value) ? std::abs(value) : value);
  return array.size() == 1 ? text : fmt::format("{} at ({})", text, fmt::join(index_of(array.shape, position), ", "));
}

NonFinite describe(const Tape& tape, NodeId id) {
  const Node& node = tape[id];
  const double value = node.value.flat(*nonfinite_position(node.value));
  const std::string what = element(node.value);
  const auto on_the_way = [](const std::string& next) {
    return next.empty() ? std::string() : fmt::format(", on the way to {}", next);
  };
  if (node.place.phase == Phase::backward && node.origin != no_node) {
    const bool named = !tape.name(node.origin).empty();
    return {node.origin, true, value,
            fmt::format("{}{}: its reverse rule first made {} in the backward pass, from finite numbers  {}",
                        title(tape, node.origin), on_the_way(named ? "" : next_name(tape, node.origin, false)), what,
                        tape.where(node.origin))};
  }
  if (node.op->is_leaf())
    return {id, false, value, fmt::format("{} holds {}  {}", title(tape, id), what, tape.where(id))};
  return {id, false, value,
          fmt::format("{}{}: first made {} in the forward pass, from finite numbers  {}", title(tape, id),
                      on_the_way(next_name(tape, id, true)), what, tape.where(id))};
}

}  // namespace

std::string title(const Tape& tape, NodeId id) {
  const std::string& name = tape.name(id);
  return name.empty() ? std::string(tape[id].op->name) : fmt::format("{} ({})", tape[id].op->name, name);
}

std::optional<std::size_t> nonfinite_position(const ArrayView& array) {
  if (!array.contiguous()) {
    for (std::size_t i = 0; i < array.size(); ++i)
      if (!std::isfinite(array.flat(i))) return i;
    return std::nullopt;
  }
  return dispatch(array.dtype, [&](auto zero) -> std::optional<std::size_t> {
    const auto elements = array.span<decltype(zero)>();
    for (std::size_t i = 0; i < elements.size(); ++i)
      if (!std::isfinite(elements[i])) return i;
    return std::nullopt;
  });
}

std::optional<NonFinite> first_nonfinite(Var loss) {
  Tape& tape = loss.tape();
  if (nonfinite(tape, loss.id())) {
    NodeId made = source(tape, {loss.id()});
    // in a part that was not kept (checkpoint): it is recorded again, to look into it
    while (made != no_node && tape[made].op->replay) {
      const auto begin = static_cast<NodeId>(tape.size());
      std::vector<NodeId> ends;
      for (const Var& result : tape[made].op->replay(tape, made))
        if (nonfinite(tape, result.id())) ends.push_back(result.id());
      const NodeId inside = source(tape, ends);
      if (inside == no_node || inside < begin) break;
      made = inside;
    }
    return describe(tape, made);
  }

  const Gradients gradients = backward(loss, {.create_graph = true});
  std::vector<NodeId> ends;
  for (NodeId id = 0; id <= loss.id(); ++id)
    if (tape[id].op->is_leaf() && gradients.contains(tape.var(id)))
      if (const NodeId adjoint = gradients.var(tape.var(id)).id(); nonfinite(tape, adjoint)) ends.push_back(adjoint);
  if (ends.empty()) return std::nullopt;
  return describe(tape, source(tape, ends));
}

}  // namespace unroll
