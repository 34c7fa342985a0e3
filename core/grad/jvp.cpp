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

// Moves tangents up the tape, node by node.
class ForwardSweep {
 public:
  explicit ForwardSweep(Tape& tape) : before_(tape), tape_(tape), tangent_(tape.size()) {}

  Var& operator[](const Var& x) { return tangent_[x.id()]; }

  // The tangents of the nodes from one up to another, both included.
  void run(NodeId from, NodeId to) {
    std::vector<Var> x, t;
    for (NodeId id = from; id <= to; ++id) {
      const auto inputs = tape_.inputs(id);
      if (std::none_of(inputs.begin(), inputs.end(), [&](NodeId i) { return !tangent_[i].empty(); })) continue;
      x.clear();
      t.clear();
      for (NodeId input : inputs) {
        x.push_back(tape_.var(input));
        t.push_back(tangent_[input]);
      }
      at(id);
      Var tangent = tape_[id].op->replay ? replay(id) : tangent_of(tape_.var(id), x, t);
      tangent_[id] = tangent;
    }
  }

 private:
  void at(NodeId id) {
    tape_.place = tape_[id].place;
    tape_.place.phase = Phase::tangent;
    tape_.origin = id;
  }

  // A part that was not kept (checkpoint) is recorded again; its tangents stand one after the other, as its results do.
  Var replay(NodeId id) {
    const auto begin = static_cast<NodeId>(tape_.size());
    const std::vector<Var> results = tape_[id].op->replay(tape_, id);
    tangent_.resize(tape_.size());
    if (tape_.size() > begin) run(begin, tape_.last());
    at(id);
    std::vector<Var> parts;
    for (const Var& result : results) {
      const Shape flat{static_cast<std::int64_t>(result.shape().size())};
      const Var t = tangent_[result.id()];
      parts.push_back(t.empty() ? tape_.constant(Array(flat, result.dtype())) : reshape(t, flat));
    }
    return concat(parts, 0);
  }

  Elsewhere before_;
  Tape& tape_;
  std::vector<Var> tangent_;
};

}  // namespace

Var jvp(Var y, const std::vector<Tangent>& tangents) {
  Tape& tape = y.tape();
  tape.require_unchanged_parameters();
  ForwardSweep tangent(tape);
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
    Var& sum = tangent[given.of];
    const Var direction = tape.constant(given.direction);
    sum = sum.empty() ? direction : sum + direction;
  }
  tangent.run(0, y.id());
  return tangent[y].empty() ? tape.constant(Array(y.shape(), y.dtype())) : tangent[y];
}

}  // namespace unroll
