#pragma once

#include <unroll/core/tape/tape.hpp>

#include <optional>
#include <string>

namespace unroll {

// A training that met NaN or infinity. what() names the operation, gate and time step that first made it.
class NonFiniteError : public Error {
 public:
  using Error::Error;
};

// Where NaN or infinity came from.
struct NonFinite {
  NodeId node = no_node;  // that made it in the forward pass or, in the backward pass, whose reverse rule did
  bool backward = false;  // whether it arose in the backward pass
  double value = 0;       // NaN or an infinity
  std::string message;    // for people: operation, gate and time step
};

// Finds what made a loss, or a gradient of it by a parameter or input, NaN or infinite: follows what is not finite back to the earliest node
// whose operands are all finite. An infinite constant, as masks have, is named only if there is nothing else. Nothing if loss and gradients are finite.
// If the loss is, the backward pass is recorded (create_graph) to look into it, and stays on the tape, to be listed or drawn. It costs about
// as much as two training steps: call it when something is wrong.
std::optional<NonFinite> first_nonfinite(Var loss);

// The position, in row-major order, of the first element that is NaN or infinite.
std::optional<std::size_t> nonfinite_position(const ArrayView& array);

// "exp (y)": the operation of a node, and what its result is called.
std::string title(const Tape& tape, NodeId id);

}  // namespace unroll
