#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

namespace unroll {

struct LinearOptions {
  std::int64_t input = 0, output = 0;
  std::string name = "linear";
  DType dtype = DType::f32;
};

// y = x W + b, with W (input, output) drawn by Glorot's rule and b (output) zero.
class Linear : public Module {
 public:
  Linear(const LinearOptions& options, Generator& generator);

  // x (..., input) -> (..., output).
  Var operator()(Var x) const;

  Parameter W, b;
};

}  // namespace unroll
