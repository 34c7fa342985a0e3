#pragma once

#include <stdexcept>
#include <string>

namespace unroll {

// The base of everything that the library throws. what() names what was wrong, where, and what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Shapes, axes or indices that do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

// float32 where float64 is expected, or the other way round.
class DTypeError : public Error {
 public:
  using Error::Error;
};

// A Var without a tape, of another tape, or of a tape that was cleared or destroyed.
class TapeError : public Error {
 public:
  using Error::Error;
};

// A gradient that was asked for and was never computed (which is not the same as a gradient of zero).
class GradientError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
