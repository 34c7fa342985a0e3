#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/parameter.hpp>

#include <string_view>
#include <vector>

namespace unroll {

// Changes parameters by their gradients. A parameter that the loss did not depend on, so that it has no gradient, is left alone.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One step. Throws ShapeError or DTypeError, before anything is changed, if a parameter or its gradient is no longer as it was at first.
  void step(const Gradients& gradients);

  // Those that it changes, each once.
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // ---- for the training loop: schedules and saves

  // The name of the update rule, such as "Adam".
  virtual std::string_view rule() const = 0;
  // The learning rate of the next step, to read and to change.
  virtual double& learning_rate() = 0;
  // Something that is remembered from step to step, such as the mean of the gradients: one array for each parameter, in their order.
  struct Memory {
    std::string_view name;       // of what is remembered: "mean square"
    std::vector<Array>* arrays;  // one for each parameter
  };
  // All that is remembered, so that a step depends on nothing but this, options, parameters and gradients. It may be written to; shapes and
  // dtypes stay as they are.
  virtual std::vector<Memory> memory() = 0;

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
