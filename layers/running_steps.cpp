#include <unroll/layers/running_steps.hpp>

#include <fmt/format.h>

namespace unroll {

namespace {

// A copy, because the caller may go on writing into a mask.
Array checked(const Array& mask, std::int64_t time, std::int64_t batch) {
  if (mask.shape() != Shape{time, batch})
    throw ShapeError(fmt::format("over_time: the mask has shape {}, expected (time, batch) = {}",
                                 to_string(mask.shape()), to_string(Shape{time, batch})));
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (const double m = mask.flat(i); m != 0 && m != 1) {
      const auto position = static_cast<std::int64_t>(i);
      throw Error(fmt::format("over_time: the mask is {} at step {} of sequence {}, expected 0 or 1", m,
                              position / batch + 1, position % batch));
    }
  return mask.copy();
}

}  // namespace

Array length_mask(std::span<const std::int64_t> lengths, std::int64_t time, DType dtype) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  Array mask({time, batch}, dtype);
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t length = lengths[static_cast<std::size_t>(b)];
    if (length < 1 || length > time)
      throw ShapeError(fmt::format("lengths: sequence {} has length {}, expected 1 to {} steps", b, length, time));
    for (std::int64_t t = 0; t < length; ++t) mask.set_flat(static_cast<std::size_t>(t * batch + b), 1);
  }
  return mask;
}

Var RunningRows::like(Var v) const {
  const Shape shape = v.shape();
  const std::int64_t batch = mask_.shape()[0];
  if (shape.rank() == 0 || shape[0] != batch)
    throw ShapeError(
        fmt::format("over_time: with a mask, axis 0 of every state and output is the batch of {}, and {} "
                    "has shape {}  {}",
                    batch, v.tape().name(v.id()).empty() ? "one" : v.tape().name(v.id()), to_string(shape),
                    v.tape().where(v.id())));
  if (shape.rank() == 2) return mask_;
  std::vector<std::int64_t> extents(shape.rank(), 1);
  extents[0] = batch;
  return reshape(mask_, Shape(extents));
}

Var RunningRows::or_zero(Var v) const {
  if (mask_.empty()) return v;
  const Var condition = like(v), zero = v.tape().scalar(0, v.dtype());
  return where(condition, v, zero);
}

Var RunningRows::chosen(Var next, Var before) const {
  const Var condition = like(next);
  return where(condition, next, before).named(next.tape().name(next.id()));
}

RunningSteps::RunningSteps(const std::vector<Var>& xs, const std::optional<Array>& mask,
                           std::span<const std::int64_t> lengths) {
  if (!mask && lengths.empty()) return;
  if (mask && !lengths.empty()) throw Error("over_time: a mask and lengths were given, expected one of them");
  if (xs.empty() || xs[0].shape().rank() == 0)
    throw ShapeError("over_time: a mask or lengths were given, but no inputs (batch, ...)");
  const auto time = static_cast<std::int64_t>(xs.size()), batch = xs[0].shape()[0];
  if (mask) {
    mask_ = checked(*mask, time, batch);
    return;
  }
  if (static_cast<std::int64_t>(lengths.size()) != batch)
    throw ShapeError(fmt::format("over_time: {} lengths were given for {} sequences", lengths.size(), batch));
  mask_ = length_mask(lengths, time);
}

RunningRows RunningSteps::at(std::size_t t, Var x) const {
  if (!mask_) return {};
  const std::int64_t batch = mask_->shape()[1];
  Array column({batch, 1}, x.dtype());
  bool all = true;
  for (std::int64_t b = 0; b < batch; ++b) {
    const double m = mask_->at({static_cast<std::int64_t>(t) - 1, b});
    column.set_flat(static_cast<std::size_t>(b), m);
    all &= m == 1;
  }
  return all ? RunningRows() : RunningRows(x.tape().constant(column, "mask"));
}

}  // namespace unroll
