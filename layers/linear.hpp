#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

namespace unroll {

// The sizes of a linear layer.
struct LinearOptions {
  std::int64_t input = 0, output = 0;  // features that go in and come out
  std::string name = "linear";         // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;            // of the parameters
};

// y = x W + b, with W (input, output) drawn by Glorot's rule and b (output) zero.
class Linear : public Module {
 public:
  // Draws W from the generator. Throws ShapeError for a width below 1.
  Linear(const LinearOptions& options, Generator& generator);

  // x (..., input) -> (..., output).
  Var operator()(Var x) const;

  Parameter W, b;  // (input, output), (output)
};

}  // namespace unroll
