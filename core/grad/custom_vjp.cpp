#include <unroll/core/grad/custom_vjp.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace unroll {

namespace {

Shape flat(const Shape& shape) { return {static_cast<std::int64_t>(shape.size())}; }

// The results one after the other, as the node holds them, and the way back.
Var packed(std::span<const Var> results) {
  std::vector<Var> parts;
  for (const Var& result : results) parts.push_back(reshape(result, flat(result.shape())));
  return parts.size() == 1 ? parts[0] : concat(parts, 0);
}

std::vector<Var> unpacked(Var packed, const std::vector<Shape>& shapes) {
  std::vector<Var> results;
  std::int64_t begin = 0;
  for (const Shape& shape : shapes) {
    const auto end = begin + static_cast<std::int64_t>(shape.size());
    results.push_back(reshape(slice(packed, 0, begin, end), shape));
    begin = end;
  }
  return results;
}

const CustomPart& held_part(const Tape& tape, const Attributes& attributes) {
  return *static_cast<const CustomPart*>(tape.held(static_cast<std::size_t>(attributes.ints[0])));
}

// What goes wrong inside of the rule is said to be the rule's.
template <class F> auto in_its_name(const F& f) {
  try {
    return f();
  } catch (const ShapeError& e) { throw ShapeError(fmt::format("in the rule of custom_vjp: {}", e.what())); }
}

void reverse(Vjp& v) {
  Tape& tape = v.g.tape();
  const CustomPart& custom = held_part(tape, v.attributes);
  const Elsewhere before(tape);
  tape.lazy = false;  // the rule may read numbers as it goes
  const std::vector<Var> g = unpacked(v.g, custom.results), y = unpacked(v.y, custom.results);
  const std::vector<Var> given = in_its_name([&] { return custom.rule(v.x.first(custom.inputs), y, g); });
  if (given.size() != custom.inputs)
    throw GradientError(
        fmt::format("custom_vjp: the rule gave {} adjoints for {} inputs", given.size(), custom.inputs));
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].empty()) continue;
    if (&given[i].tape() != &tape)
      throw TapeError(fmt::format("custom_vjp: the rule gave input {} an adjoint that is on another tape", i));
    if (v.needs(i)) v.give(i, given[i]);
  }
}

// The operands behind the inputs are the results of the part's own operations: forward mode goes through those.
Var forward(const Jvp& j) {
  const CustomPart& custom = held_part(j.y.tape(), j.attributes);
  std::vector<Var> tangents;
  for (std::size_t i = custom.inputs; i < j.x.size(); ++i)
    tangents.push_back(j.t[i].empty() ? j.y.tape().constant(Array(j.x[i].shape(), j.x[i].dtype())) : j.t[i]);
  return packed(tangents);
}

void compute(const Call& call, const Shape&, void* out, bool accumulate) {
  auto* to = static_cast<std::byte*>(out);
  const std::size_t results = static_cast<std::size_t>(call.integer(1));
  for (const ArrayView* result : call.inputs.last(results)) {
    kernels::copy(*result, result->shape, to, accumulate);
    to += result->size() * size_of(result->dtype);
  }
}

Shape shape_of(const Call& call) {
  std::size_t size = 0;
  for (const ArrayView* result : call.inputs.last(static_cast<std::size_t>(call.integer(1)))) size += result->size();
  return {static_cast<std::int64_t>(size)};
}

const Op custom_vjp_op = {
    .name = "custom_vjp", .arity = any_number, .shape = shape_of, .forward = compute, .vjp = reverse, .jvp = forward};

// What the part used besides its inputs must be constant.
void require_closed(const Tape& tape, NodeId first, const std::vector<Var>& inputs) {
  const auto given = [&](NodeId id) {
    return std::any_of(inputs.begin(), inputs.end(), [&](const Var& input) { return input.id() == id; });
  };
  const auto require_constant = [&](NodeId id) {
    if (!tape[id].tracked || given(id)) return;
    const Parameter* parameter = tape.parameter(id);
    throw GradientError(fmt::format(
        "custom_vjp: the part uses {}, which is none of its inputs, so the rule cannot give it a gradient  {}",
        parameter               ? parameter->name()
        : tape.name(id).empty() ? tape[id].op->name
                                : tape.name(id),
        tape.where(id)));
  };
  for (NodeId id = first; id < tape.size(); ++id) {
    if (tape[id].op->is_leaf()) require_constant(id);
    for (NodeId input : tape.inputs(id))
      if (input < first) require_constant(input);
  }
}

}  // namespace

std::vector<Var> custom_vjp(const Part& part, const ReverseRule& rule, const std::vector<Var>& inputs) {
  if (inputs.empty()) throw TapeError("custom_vjp: no inputs, so no tape to record on");
  if (!part || !rule) throw Error(fmt::format("custom_vjp: no {}", part ? "rule" : "part"));
  Tape& tape = inputs[0].tape();
  const auto first = static_cast<NodeId>(tape.size());
  const std::vector<Var> results = part(inputs);
  if (results.empty()) return {};
  require_closed(tape, first, inputs);

  CustomPart custom{part, rule, {}, inputs.size()};
  std::vector<Var> operands = inputs;
  for (const Var& result : results) {
    custom.results.push_back(result.shape());
    operands.push_back(result);
  }
  const std::int64_t attributes[] = {
      static_cast<std::int64_t>(tape.hold(std::make_shared<CustomPart>(std::move(custom)))),
      static_cast<std::int64_t>(results.size())};
  const Var node = apply(custom_vjp_op, operands, {.ints = attributes, .reals = {}});
  std::vector<Var> outputs = unpacked(node, custom_part(tape, node.id())->results);
  for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].named(tape.name(results[i].id()));
  return outputs;
}

const CustomPart* custom_part(const Tape& tape, NodeId id) {
  return tape[id].op == &custom_vjp_op ? &held_part(tape, tape[id].attributes) : nullptr;
}

}  // namespace unroll
