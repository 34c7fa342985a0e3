#include <unroll/core/tape/op.hpp>
#include <unroll/core/tape/recorded_call.hpp>
#include <unroll/core/tape/tape.hpp>

#include <fmt/format.h>

namespace unroll {

namespace {

// Says in the name of the operation what is wrong with an operand that does not belong to the tape.
[[noreturn]] void fail_operand(const Op& op, std::size_t i, const Var& operand) {
  try {
    const Tape& tape = operand.tape();
    throw TapeError(fmt::format("recorded on another tape than operand 0: one operation works on one tape  {}",
                                tape.where(operand.id())));
  } catch (const TapeError& e) { throw TapeError(fmt::format("{}: operand {}: {}", op.name, i, e.what())); }
}

std::string shapes(std::span<const ArrayView* const> inputs) {
  std::string text;
  for (const ArrayView* input : inputs) text += (text.empty() ? "" : " x ") + to_string(input->shape);
  return text;
}

template <class T> std::span<const T> keep(Arena& arena, std::span<const T> values) {
  if (values.empty()) return {};
  T* copy = arena.allocate_array<T>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) copy[i] = values[i];
  return {copy, values.size()};
}

void compute(Tape& tape, Node& node, const Call& call) {
  node.pending = false;
  if (node.op->view && node.op->view(call, node.value, tape.arena())) return;
  void* out = tape.arena().allocate(node.value.size() * size_of(node.value.dtype));
  evaluate(*node.op, call, node.value.shape, node.value.dtype, out, false);
  node.value.data = out;
}

const Op leaf_ops[] = {
    {.name = "input", .arity = 0}, {.name = "constant", .arity = 0}, {.name = "parameter", .arity = 0}};

}  // namespace

const Op& input_op() { return leaf_ops[0]; }
const Op& constant_op() { return leaf_ops[1]; }
const Op& parameter_op() { return leaf_ops[2]; }

void evaluate(const Op& op, const Call& call, const Shape& shape, DType dtype, void* out, bool accumulate) {
  if (accumulate && (op.is_pointwise() || op.only_stores)) {
    Array result(shape, dtype);
    evaluate(op, call, shape, dtype, result.data(), false);
    return kernels::copy(result, shape, out, true);
  }
  if (!op.is_pointwise()) return op.forward(call, shape, out, accumulate);
  const auto block = op.pointwise.forward[static_cast<int>(dtype)];
  kernels::forward(block, call.inputs, shape, dtype, out, call.attributes.reals.data());
}

void materialize(Tape& tape, NodeId id) {
  if (tape[id].pending) compute(tape, tape.mutable_node(id), *RecordedCall(tape, id));
}

Var apply(const Op& op, std::initializer_list<Var> operands, const Attributes& attributes) {
  return apply(op, std::span(operands.begin(), operands.size()), attributes);
}

Var apply(const Op& op, std::span<const Var> operands, const Attributes& attributes) {
  const std::size_t n = operands.size();
  if (n == 0) throw TapeError(fmt::format("{}: no operands, so no tape to record on", op.name));
  if (op.arity != any_number && n != static_cast<std::size_t>(op.arity))
    throw Error(fmt::format("{}: {} operands, expected {}", op.name, n, op.arity));
  if (!operands[0].alive()) fail_operand(op, 0, operands[0]);
  Tape& tape = operands[0].tape();

  FewOrMany<NodeId> ids(n);
  FewOrMany<const ArrayView*> views(n);
  bool tracked = false;
  for (std::size_t i = 0; i < n; ++i) {
    const Var& operand = operands[i];
    if (!operand.alive() || &operand.tape() != &tape) fail_operand(op, i, operand);
    const NodeId id = operand.id();
    ids[i] = id;
    if (tape.lazy) materialize(tape, id);
    const Node& node = tape[id];
    views[i] = &node.value;
    tracked |= node.tracked;
  }
  const auto here = [&] { return tape.where(tape.place, static_cast<NodeId>(tape.size())); };
  const DType dtype = views[0]->dtype;
  for (std::size_t i = 1; i < n; ++i)
    if (views[i]->dtype != dtype)
      throw DTypeError(
          fmt::format("{}: {} x {}: operands must have one dtype (Array::as converts; layers have an option dtype)  {}",
                      op.name, to_string(dtype), to_string(views[i]->dtype), here()));

  const Call call{views.span(), attributes};
  Shape shape;
  try {
    shape = op.shape(call);
  } catch (const ShapeError& e) {
    throw ShapeError(fmt::format("{}: {}: {}  {}", op.name, shapes(call.inputs), e.what(), here()));
  }

  const Tape::Mark before = tape.mark();
  Node& node = tape.append(op, ids.span());
  node.value.dtype = dtype;
  node.value.shape = std::move(shape);
  node.tracked = tracked && op.differentiable();
  node.attributes = {keep(tape.arena(), attributes.ints), keep(tape.arena(), attributes.reals)};
  const NodeId id = tape.last();
  if (tape.lazy)
    node.pending = true;
  else
    try {
      compute(tape, node, {views.span(), node.attributes});
    } catch (...) {  // no memory, or a kernel that refuses: leave no node without a value
      tape.rollback(before);
      throw;
    }
  return {tape.life(), id};
}

}  // namespace unroll
