#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/var.hpp>

#include <optional>
#include <vector>

namespace unroll {

// Which gradients a backward pass leaves.
enum class Keep {
  leaves,  // those of inputs and parameters
  all      // those of every node on the way
};

// What a backward pass keeps, records and measures.
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
  // Also measures what comes back to each node from the readers at every single time step (Gradients::flow): one number for each node and step. The
  // parts are summed apart before they are added up, so that gradients equal those without it to rounding; with create_graph, to the bit. The parts
  // themselves are not kept: one is given back when its last reader has handed on.
  bool flows = false;
};

// Reverse-mode differentiation: one sweep over the tape from the loss down. Each node hands its adjoint through its operation's
// rule (vjp) to its inputs, where contributions add up: for a parameter used at every time step this is BPTT (Rumelhart, Hinton and
// Williams 1986; Werbos 1990). Can be called again, also from other nodes. Throws ShapeError if the loss has several elements and there is no cotangent (DTypeError if that has another dtype),
// GradientError if it depends on no input or parameter, or if a parameter has changed since it was recorded.
// See docs/architecture.md, tutorials/03/README.md and tutorials/07/README.md.
Gradients backward(Var loss, const BackwardOptions& options = {});

}  // namespace unroll
