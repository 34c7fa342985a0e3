#pragma once

#include <unroll/core/tape/tape.hpp>

#include <vector>

namespace unroll {

// A direction in which an input or parameter moves: an array of its shape and dtype.
struct Tangent {
  Var of;           // the input or parameter: Tape::use() gives the Var of a parameter
  Array direction;  // of its shape and dtype
};

// Forward-mode differentiation: the derivative of y along the given directions (0 for all other leaves), by one sweep up the
// tape with the same rules as backward(). The tangents are recorded as operations of phase `tangent`, so that the result is a Var of
// the shape of y that can itself be differentiated. Several directions of one leaf add up. Throws ShapeError, DTypeError or TapeError for a
// direction that does not fit, Error for one of a node that is no leaf, GradientError if a parameter has changed since it was recorded.
// See tutorials/03/README.md and docs/ways-through-time.md.
Var jvp(Var y, const std::vector<Tangent>& tangents);

}  // namespace unroll
