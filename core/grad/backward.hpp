#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/var.hpp>

#include <optional>
#include <vector>

namespace unroll {

enum class Keep { leaves, all };

struct BackwardOptions {
  // Which gradients are kept: those of inputs and parameters, or those of every node on the way (any layer, any time step).
  Keep keep = Keep::leaves;
  // Records the backward pass on the tape, as operations of phase `backward`: for second derivatives and drawings. Keeps all.
  bool create_graph = false;
  // The adjoint of the loss, in its shape and dtype; without one, the loss must have one element, and its adjoint is 1.
  std::optional<Array> cotangent = {};
  // Nodes whose gradients are kept besides those of the leaves: cheaper than Keep::all where a few are wanted.
  std::vector<Var> also = {};
  // The sweep keeps the gradients of these nodes and does not go past them: the loss is differentiated as if they were given numbers. With
  // until = {h_(t-1)}, backward(h_t) gives one row of the Jacobian of a step, and by the parameters the immediate derivative.
  std::vector<Var> until = {};
  // Parameters whose contributions are also kept apart, by the time step that they come from (Gradients::contribution). Not with create_graph.
  std::vector<Parameter> by_step = {};
};

// Reverse-mode differentiation: one sweep over the tape from the loss down. Each node hands its adjoint through its operation's
// rule (vjp) to its inputs, where contributions add up: for a parameter used at every time step this is BPTT (Rumelhart, Hinton and
// Williams 1986; Werbos 1990). Can be called again, also from other nodes. Throws ShapeError if the loss has several elements and there is no cotangent (DTypeError if that has another dtype),
// GradientError if it depends on no input or parameter, or if a parameter has changed since it was recorded.
Gradients backward(Var loss, const BackwardOptions& options = {});

}  // namespace unroll
