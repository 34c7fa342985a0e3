#include <unroll/layers/padded_batch.hpp>

#include <unroll/core/array/finite.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

PaddedBatch padded_batch(std::span<const Array> sequences) {
  if (sequences.empty()) throw ShapeError("padded_batch: no sequences, expected at least one");
  PaddedBatch batch;
  for (std::size_t b = 0; b < sequences.size(); ++b) {
    const Array& sequence = sequences[b];
    const Shape &shape = sequence.shape(), &first = sequences[0].shape();
    if (shape.rank() != 2 || shape[0] < 1 || shape[1] != first[1])
      throw ShapeError(
          fmt::format("padded_batch: sequence {} has shape {}, expected (length, {}) with at least one step", b,
                      to_string(shape), first.rank() == 2 ? std::to_string(first[1]) : "feature"));
    if (sequence.dtype() != sequences[0].dtype())
      throw DTypeError(fmt::format("padded_batch: sequence {} is {}, expected {} as the first", b,
                                   to_string(sequence.dtype()), to_string(sequences[0].dtype())));
    require_finite(sequence, fmt::format("padded_batch: sequence {}", b));
    batch.lengths.push_back(shape[0]);
  }
  const std::int64_t time = *std::max_element(batch.lengths.begin(), batch.lengths.end());
  const std::size_t features = static_cast<std::size_t>(sequences[0].shape()[1]), n = sequences.size();
  batch.x = Array({time, static_cast<std::int64_t>(n), sequences[0].shape()[1]}, sequences[0].dtype());
  for (std::size_t b = 0; b < n; ++b)
    for (std::size_t i = 0; i < sequences[b].size(); ++i)
      batch.x.set_flat((i / features * n + b) * features + i % features, sequences[b].flat(i));
  return batch;
}

}  // namespace unroll
