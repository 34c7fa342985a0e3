#include <unroll/core/grad/backward.hpp>

#include <unroll/core/grad/sweep.hpp>

#include <fmt/format.h>

namespace unroll {

namespace detail {

void require_fitting(const Tape& tape, NodeId node, std::size_t i, const Node& input, const Node& contribution) {
  if (contribution.value.dtype == input.value.dtype && broadcasts_to(input.value.shape, contribution.value.shape))
    return;
  throw ShapeError(fmt::format("{}: its reverse rule gave input {} a gradient of shape {} in {}, expected {} in {}  {}",
                               tape[node].op->name, i, to_string(contribution.value.shape),
                               to_string(contribution.value.dtype), to_string(input.value.shape),
                               to_string(input.value.dtype), tape.where(node)));
}

}  // namespace detail

namespace {

Array seed(const Var& loss, const BackwardOptions& options) {
  const ArrayView value = loss.value();
  if (!options.cotangent) {
    if (value.size() != 1)
      throw ShapeError(
          fmt::format("backward: the loss has shape {}: expected a scalar, or a cotangent of that shape  {}",
                      to_string(value.shape), loss.tape().where(loss.id())));
    return Array::filled(value.shape, 1, value.dtype);
  }
  if (options.cotangent->shape() != value.shape)
    throw ShapeError(fmt::format("backward: a cotangent of shape {} for a loss of shape {}",
                                 to_string(options.cotangent->shape()), to_string(value.shape)));
  if (options.cotangent->dtype() != value.dtype)
    throw DTypeError(fmt::format("backward: a {} cotangent for a {} loss", to_string(options.cotangent->dtype()),
                                 to_string(value.dtype)));
  return *options.cotangent;
}

void require_on_tape(const Tape& tape, const std::vector<Var>& nodes, const char* option) {
  for (const Var& node : nodes)
    if (&node.tape() != &tape)
      throw TapeError(fmt::format("backward: a node of option {} belongs to another tape than the loss: {}", option,
                                  node.tape().where(node.id())));
}

}  // namespace

Gradients backward(Var loss, const BackwardOptions& options) {
  Tape& tape = loss.tape();
  const Array cotangent = seed(loss, options);
  if (!loss.node().tracked)
    throw GradientError(fmt::format("backward: the loss depends on no input or parameter  {}", tape.where(loss.id())));
  require_on_tape(tape, options.also, "also");
  require_on_tape(tape, options.until, "until");
  if (options.create_graph && !options.by_step.empty())
    throw GradientError("backward: by_step is for passes that are not recorded: leave out create_graph");
  tape.require_unchanged_parameters();
  const auto sweep = options.create_graph ? detail::sweep_recorded : detail::sweep_eagerly;
  return sweep(tape, loss.id(), cotangent, options);
}

}  // namespace unroll
