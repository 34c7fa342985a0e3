#include <unroll/core/grad/jvp.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

namespace {

// The tangent of one node from those of its inputs, some of which are empty (zero); empty if nothing flows through.
Var tangent_of(Var y, std::span<const Var> x, std::span<const Var> t) {
  const Op& op = *y.node().op;
  const Attributes attributes = y.node().attributes;
  if (!op.differentiable()) return {};
  if (!op.is_pointwise() && !op.jvp)
    throw Error(fmt::format("jvp: {} has no forward rule  {}", op.name, y.tape().where(y.id())));
  if (!op.is_pointwise()) return op.jvp({y, x, t, attributes, op});
  Var total;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (t[i].empty()) continue;
    Var term = op.pointwise.recorded(i, t[i], x, y, attributes.reals.data());
    if (term.shape() != y.shape()) term = broadcast_to(term, y.shape());
    total = total.empty() ? term : total + term;
  }
  return total;
}

}  // namespace

Var jvp(Var y, const std::vector<Tangent>& tangents) {
  Tape& tape = y.tape();
  tape.require_unchanged_parameters();
  const Place place = tape.place;
  const NodeId origin = tape.origin;
  std::vector<Var> tangent(y.id() + std::size_t{1});
  for (const Tangent& given : tangents) {
    const ArrayView value = given.of.value();
    if (&given.of.tape() != &tape) throw TapeError("jvp: y and the direction belong to two tapes");
    if (given.direction.shape() != value.shape)
      throw ShapeError(fmt::format("jvp: a direction of shape {} for a node of shape {}  {}",
                                   to_string(given.direction.shape()), to_string(value.shape),
                                   tape.where(given.of.id())));
    if (given.direction.dtype() != value.dtype)
      throw DTypeError(fmt::format("jvp: a {} direction for a {} node  {}", to_string(given.direction.dtype()),
                                   to_string(value.dtype), tape.where(given.of.id())));
    if (given.of.node().input_count > 0)
      throw Error(fmt::format(
          "jvp: a direction for the result of {}: only inputs, constants and parameters move by themselves  {}",
          given.of.node().op->name, tape.where(given.of.id())));
    if (given.of.id() > y.id()) continue;  // y does not depend on it
    Var& sum = tangent[given.of.id()];
    const Var direction = tape.constant(given.direction);
    sum = sum.empty() ? direction : sum + direction;
  }
  std::vector<Var> x, t;
  for (NodeId id = 0; id <= y.id(); ++id) {
    const auto inputs = tape.inputs(id);
    if (std::none_of(inputs.begin(), inputs.end(), [&](NodeId i) { return !tangent[i].empty(); })) continue;
    x.clear();
    t.clear();
    for (NodeId input : inputs) {
      x.push_back(tape.var(input));
      t.push_back(tangent[input]);
    }
    tape.place = tape[id].place;
    tape.place.phase = Phase::tangent;
    tape.origin = id;
    try {
      tangent[id] = tangent_of(tape.var(id), x, t);
    } catch (...) {
      tape.place = place;
      tape.origin = origin;
      throw;
    }
  }
  tape.place = place;
  tape.origin = origin;
  return tangent[y.id()].empty() ? tape.constant(Array(y.shape(), y.dtype())) : tangent[y.id()];
}

}  // namespace unroll
