#include <unroll/layers/symbols.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

void require_symbols(std::string_view layer, std::string_view what, std::span<const Symbols> sequences,
                     std::int64_t vocabulary) {
  if (sequences.empty()) throw ShapeError(fmt::format("{}: a batch without any {}", layer, what));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (sequences[i].empty())
      throw ShapeError(fmt::format("{}: {} {} is empty, expected at least one symbol", layer, what, i));
    for (std::size_t k = 0; k < sequences[i].size(); ++k)
      if (const std::int64_t symbol = sequences[i][k]; symbol < 0 || symbol >= vocabulary)
        throw ShapeError(fmt::format("{}: {} {} has symbol {} at position {}, expected 0 to {}", layer, what, i, symbol,
                                     k, vocabulary - 1));
  }
}

std::vector<std::int64_t> lengths_of(std::span<const Symbols> sequences) {
  std::vector<std::int64_t> result;
  for (const Symbols& sequence : sequences) result.push_back(std::ssize(sequence));
  return result;
}

std::int64_t longest(std::span<const Symbols> sequences) {
  std::int64_t most = 0;
  for (const Symbols& sequence : sequences) most = std::max<std::int64_t>(most, std::ssize(sequence));
  return most;
}

Symbols symbols_at(std::span<const Symbols> sequences, std::int64_t position, std::int64_t padding) {
  Symbols result;
  for (const Symbols& sequence : sequences)
    result.push_back(position < std::ssize(sequence) ? sequence[static_cast<std::size_t>(position)] : padding);
  return result;
}

Symbols likeliest(const ArrayView& logits) {
  const auto classes = static_cast<std::size_t>(logits.shape[logits.rank() - 1]);
  Symbols best;
  for (std::size_t row = 0; row < logits.size(); row += classes) {
    std::size_t first = 0;
    for (std::size_t k = 1; k < classes; ++k)
      if (logits.flat(row + k) > logits.flat(row + first)) first = k;
    best.push_back(static_cast<std::int64_t>(first));
  }
  return best;
}

}  // namespace unroll
