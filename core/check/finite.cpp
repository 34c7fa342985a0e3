#include <unroll/core/check/finite.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/tape/op.hpp>

#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

bool nonfinite(const Tape& tape, NodeId id) { return nonfinite_element(tape[id].value).has_value(); }

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
    const bool mask = tape[id].op == &constant_op() && std::isinf(*nonfinite_element(tape[id].value));
    (mask ? constant : made) = id;
  }
  return made != no_node ? made : constant;
}

// "exp (f)": an operation, and what its result is called.
std::string title(const Tape& tape, NodeId id) {
  const std::string& name = tape.name(id);
  return name.empty() ? std::string(tape[id].op->name) : fmt::format("{} ({})", tape[id].op->name, name);
}

NonFinite describe(const Tape& tape, NodeId id) {
  const double value = *nonfinite_element(tape[id].value);
  const Node& node = tape[id];
  if (node.place.phase == Phase::backward && node.origin != no_node)
    return {node.origin, true, value,
            fmt::format("{}: its reverse rule first made {} in the backward pass, from finite numbers  {}",
                        title(tape, node.origin), value, tape.where(node.origin))};
  if (node.op->is_leaf())
    return {id, false, value, fmt::format("{} holds {}  {}", title(tape, id), value, tape.where(id))};
  return {id, false, value,
          fmt::format("{}: first made {} in the forward pass, from finite numbers  {}", title(tape, id), value,
                      tape.where(id))};
}

}  // namespace

std::optional<double> nonfinite_element(const ArrayView& array) {
  if (!array.contiguous()) {
    for (std::size_t i = 0; i < array.size(); ++i)
      if (const double x = array.flat(i); !std::isfinite(x)) return x;
    return std::nullopt;
  }
  std::optional<double> found;
  dispatch(array.dtype, [&](auto zero) {
    for (auto x : array.span<decltype(zero)>())
      if (!std::isfinite(x)) {
        found = x;
        return;
      }
  });
  return found;
}

std::optional<NonFinite> first_nonfinite(Var loss) {
  Tape& tape = loss.tape();
  if (nonfinite(tape, loss.id())) return describe(tape, source(tape, {loss.id()}));

  const Gradients gradients = backward(loss, {.create_graph = true});
  std::vector<NodeId> ends;
  for (NodeId id = 0; id <= loss.id(); ++id)
    if (tape[id].op->is_leaf() && gradients.contains(tape.var(id)))
      if (const NodeId adjoint = gradients.var(tape.var(id)).id(); nonfinite(tape, adjoint)) ends.push_back(adjoint);
  if (ends.empty()) return std::nullopt;
  return describe(tape, source(tape, ends));
}

}  // namespace unroll
