#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/parameter.hpp>

#include <vector>

namespace unroll {

// Changes parameters by their gradients. A parameter that the loss did not depend on, so that it has no gradient, is left alone.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One step. Throws ShapeError or DTypeError, before anything is changed, if a parameter or its gradient is no longer as it was at first.
  void step(const Gradients& gradients);

  const std::vector<Parameter>& parameters() const { return parameters_; }

 protected:
  // A parameter that is listed more than once (tied weights) is updated once.
  explicit Optimizer(const std::vector<Parameter>& parameters);

  // One array of zeros for each parameter: what an optimiser remembers.
  std::vector<Array> zeros() const;

  // Updates parameter i; `gradient` has its shape.
  virtual void update(std::size_t i, Array& value, const Array& gradient) = 0;

 private:
  std::vector<Parameter> parameters_;
  std::vector<Shape> shapes_;  // as they were at first, and as what is remembered of them still is
  std::vector<DType> dtypes_;
};

}  // namespace unroll
