#include <unroll/layers/losses.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

void require_equal_shapes(const Var& prediction, const Var& target) {
  if (prediction.shape() != target.shape())
    throw ShapeError(fmt::format("mse: the prediction has shape {}, the target {}", to_string(prediction.shape()),
                                 to_string(target.shape())));
}

// The mask with axes of extent 1 behind, so that it broadcasts to the prediction; checked.
Array beside(const Array& mask, const Shape& prediction, DType dtype) {
  const std::size_t rank = mask.rank();
  bool fits = rank <= prediction.rank();
  for (std::size_t axis = 0; fits && axis < rank; ++axis) fits = mask.shape()[axis] == prediction[axis];
  if (!fits)
    throw ShapeError(fmt::format("mse: the mask has shape {}, expected the first axes of the prediction's {}",
                                 to_string(mask.shape()), to_string(prediction)));
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (!(mask.flat(i) >= 0 && std::isfinite(mask.flat(i))))
      throw ShapeError(fmt::format("mse: mask entry {} is {}, expected a finite number from 0 up", i, mask.flat(i)));
  std::vector<std::int64_t> extents = mask.shape().vector();
  extents.resize(prediction.rank(), 1);
  return mask.as(dtype).reshaped(Shape(extents));
}

}  // namespace

Var mse(Var prediction, Var target) {
  require_equal_shapes(prediction, target);
  return mean(square(prediction - target));
}

Var mse(Var prediction, Var target, const Array& mask) {
  require_equal_shapes(prediction, target);
  Tape& tape = prediction.tape();
  const Array weights = beside(mask, prediction.shape(), prediction.dtype());
  double total = 0;  // of the weights of all elements
  for (std::size_t i = 0; i < weights.size(); ++i) total += weights.flat(i);
  total *=
      static_cast<double>(prediction.shape().size()) / static_cast<double>(std::max<std::size_t>(weights.size(), 1));
  // picked before it is squared: 0 times NaN is NaN, on the way back as well
  const Var weight = tape.constant(weights, "mask"), zero = tape.scalar(0, prediction.dtype());
  const Var difference = where(weight, prediction - target, zero);
  return sum(weight * square(difference)) * (total > 0 ? 1 / total : 0);
}

Array per_sequence(const Array& mask) {
  if (mask.rank() != 2)
    throw ShapeError(
        fmt::format("per_sequence: the mask has shape {}, expected (time, batch)", to_string(mask.shape())));
  Array weights(mask.shape(), DType::f64);
  const std::int64_t time = mask.shape()[0], batch = mask.shape()[1];
  for (std::int64_t b = 0; b < batch; ++b) {
    double steps = 0;
    for (std::int64_t t = 0; t < time; ++t) steps += mask.at({t, b});
    for (std::int64_t t = 0; t < time; ++t)
      if (mask.at({t, b}) != 0) weights.set_flat(static_cast<std::size_t>(t * batch + b), mask.at({t, b}) / steps);
  }
  return weights;
}

Var cross_entropy(const std::vector<Var>& logits, std::span<const std::int64_t> targets, std::span<const double> mask) {
  return cross_entropy(stack(logits, 0), targets, mask);
}

}  // namespace unroll
