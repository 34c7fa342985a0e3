#include <unroll/layers/losses.hpp>

#include <fmt/format.h>

namespace unroll {

Var mse(Var prediction, Var target) {
  if (prediction.shape() != target.shape())
    throw ShapeError(fmt::format("mse: the prediction has shape {}, the target {}", to_string(prediction.shape()),
                                 to_string(target.shape())));
  return mean(square(prediction - target));
}

Var cross_entropy(const std::vector<Var>& logits, std::span<const std::int64_t> targets, std::span<const double> mask) {
  return cross_entropy(stack(logits, 0), targets, mask);
}

}  // namespace unroll
