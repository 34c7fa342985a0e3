#include <unroll/layers/packed.hpp>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace unroll {

PackedSequence pack(Var xs, std::span<const std::int64_t> lengths) { return pack(time_steps(xs), lengths); }

PackedSequence pack(const std::vector<Var>& xs, std::span<const std::int64_t> lengths) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const auto time = static_cast<std::int64_t>(xs.size());
  if (batch == 0 || time == 0)
    throw ShapeError(fmt::format("pack: {} lengths and {} steps, expected some", batch, time));
  for (std::int64_t b = 0; b < batch; ++b)
    if (const std::int64_t length = lengths[static_cast<std::size_t>(b)]; length < 1 || length > time)
      throw ShapeError(fmt::format("pack: sequence {} has length {}, expected 1 to {} steps", b, length, time));
  if (const Shape shape = xs[0].shape(); shape.rank() == 0 || shape[0] != batch)
    throw ShapeError(
        fmt::format("pack: {} lengths were given for inputs of shape {}, expected (batch, feature) at each "
                    "step with a length for each sequence",
                    batch, to_string(shape)));

  PackedSequence packed{{}, std::vector<std::int64_t>(lengths.size())};
  std::iota(packed.order.begin(), packed.order.end(), 0);
  const auto length_of = [&](std::int64_t b) { return lengths[static_cast<std::size_t>(b)]; };
  std::stable_sort(packed.order.begin(), packed.order.end(),
                   [&](std::int64_t a, std::int64_t b) { return length_of(a) > length_of(b); });
  for (std::int64_t t = 1, running = batch; t <= length_of(packed.order[0]); ++t) {
    while (length_of(packed.order[static_cast<std::size_t>(running - 1)]) < t) --running;
    const Var x = xs[static_cast<std::size_t>(t - 1)];
    const Step step(x.tape(), t);
    packed.steps.push_back(
        gather(x, std::span(packed.order).first(static_cast<std::size_t>(running))).named(x.tape().name(x.id())));
  }
  return packed;
}

std::vector<Var> unpack(const PackedSequence& packed) {
  std::vector<Var> steps;
  for (std::size_t t = 1; t <= packed.steps.size(); ++t) {
    const Var rows = packed.steps[t - 1];
    const Step step(rows.tape(), static_cast<std::int64_t>(t));
    const std::span<const std::int64_t> order(packed.order);
    steps.push_back(scatter_add(rows, order.first(static_cast<std::size_t>(rows.shape()[0])), 0,
                                static_cast<std::int64_t>(order.size())));
  }
  return steps;
}

namespace detail {

void require_packable(const PackedSequence& xs, const OverTimeOptions& options) {
  if (options.mask || !options.lengths.empty())
    throw Error("over_time: a mask or lengths were given for packed sequences, which have their own lengths");
  if (options.truncate || options.recompute)
    throw Error("over_time: truncate or recompute was given for packed sequences: pad them instead, with lengths");
  if (xs.steps.empty()) throw ShapeError("over_time: a packed sequence without steps: pack() makes one");
}

Var reordered(Var part, std::span<const std::int64_t> order) {
  const Shape shape = part.shape();
  Tape& tape = part.tape();
  if (shape.rank() == 0 || shape[0] != static_cast<std::int64_t>(order.size()))
    throw ShapeError(
        fmt::format("over_time: the state {} has shape {}, expected {} rows, one for each packed sequence  {}",
                    tape.name(part.id()), to_string(shape), order.size(), tape.where(part.id())));
  return gather(part, order).named(tape.name(part.id()));
}

std::vector<std::int64_t> inverse(std::span<const std::int64_t> order) {
  std::vector<std::int64_t> result(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    result[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return result;
}

}  // namespace detail

}  // namespace unroll
