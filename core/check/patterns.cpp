#include <unroll/core/check/patterns.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

// What a constant factor looks like that somebody knows.
std::string known_factor(double factor, std::int64_t steps, std::int64_t batch) {
  const std::pair<double, std::string> known[] = {
      {2, "2: it may be added up twice"},
      {0.5, "1/2: halved"},
      {static_cast<double>(batch), fmt::format("{}, the batch: a mean is missing, or taken for a sum", batch)},
      {1 / static_cast<double>(batch),
       fmt::format("1/{}, one over the batch: a mean stands where a sum is right", batch)},
      {static_cast<double>(steps), fmt::format("{}, the number of steps", steps)},
      {1 / static_cast<double>(steps), fmt::format("1/{}, one over the number of steps", steps)},
      {static_cast<double>(steps * batch), fmt::format("{}, steps times batch", steps * batch)},
      {1 / static_cast<double>(steps * batch), fmt::format("1/{}, one over steps times batch", steps * batch)}};
  std::string all;
  for (const auto& [value, words] : known)
    if (std::isfinite(value) && value != 1 && std::abs(factor / value - 1) < 1e-4)
      all += (all.empty() ? "" : ", or ") + words;
  if (!all.empty()) return all;
  return fmt::format("{:.6g}", factor);
}

// Each square block of a matrix transposed where it stands: a square matrix is one block, and gates may stand side by side or one above the other.
Array blocks_transposed(const Array& x) {
  const std::int64_t rows = x.shape()[0], columns = x.shape()[1], side = std::min(rows, columns);
  Array result(x.shape(), DType::f64);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t row = i / side * side + j % side, column = j / side * side + i % side;
      result.set_flat(static_cast<std::size_t>(row * columns + column), x.at({i, j}));
    }
  return result;
}

// Has square blocks of more than one element.
bool in_blocks(const Shape& shape) {
  return shape.rank() == 2 && std::min(shape[0], shape[1]) > 1 &&
         std::max(shape[0], shape[1]) % std::min(shape[0], shape[1]) == 0;
}

Array reversed(const Array& x) {
  Array result(x.shape(), DType::f64);
  const auto steps = static_cast<std::size_t>(x.shape()[0]), width = x.size() / std::max<std::size_t>(1, steps);
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t i = 0; i < width; ++i) result.set_flat((steps - 1 - t) * width + i, x.flat(t * width + i));
  return result;
}

Array scaled(const Array& x, double factor) {
  Array result = x.copy();
  for (std::size_t i = 0; i < x.size(); ++i) result.set_flat(i, x.flat(i) * factor);
  return result;
}

Array clipped(const Array& x, double bound) {
  Array result = x.copy();
  for (std::size_t i = 0; i < x.size(); ++i) result.set_flat(i, std::clamp(x.flat(i), -bound, bound));
  return result;
}

std::size_t at_bound(const Array& x, double bound) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < x.size(); ++i) n += std::abs(x.flat(i)) == bound;
  return n;
}

}  // namespace

bool same_bits(const ArrayView& a, const ArrayView& b) {
  if (a.shape != b.shape || a.dtype != b.dtype) return false;
  const Array x = a.copy(), y = b.copy();
  return x.size() == 0 || std::memcmp(x.data(), y.data(), x.size() * size_of(x.dtype())) == 0;
}

double largest_of(const Array& array) {
  double result = 0;
  for (std::size_t i = 0; i < array.size(); ++i) result = std::max(result, std::abs(array.flat(i)));
  return result;
}

bool agree(const Array& a, const Array& b, double tolerance, double floor) {
  if (a.shape() != b.shape()) return false;
  const double scale = std::max({largest_of(a), largest_of(b), floor});
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a.flat(i) - b.flat(i)) <= tolerance * scale)) return false;
  return true;
}

std::optional<Pattern> pattern(const std::string& name, const Array& wrong, const Array& right, double tolerance,
                               std::int64_t steps, std::int64_t batch, bool time_axis) {
  const double size = largest_of(right);
  if (size == 0 || right.size() == 0 || agree(wrong, right, tolerance)) return std::nullopt;
  if (largest_of(wrong) <= tolerance * size)
    return Pattern{Cause::gate_term, fmt::format("the gradient by {} is zero, but the program depends on it", name), 0};
  if (agree(wrong, scaled(right, -1), tolerance))
    return Pattern{Cause::sign, fmt::format("the gradient by {} has the wrong sign", name), -1};

  // the least-squares factor; a single number is always a multiple of another, which says something only if the multiple is a known one
  double product = 0, square = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    product += wrong.flat(i) * right.flat(i);
    square += right.flat(i) * right.flat(i);
  }
  const double factor = product / square;
  const std::string words = known_factor(factor, steps, batch);
  const bool well_known = words.find(',') != std::string::npos || words.find(':') != std::string::npos;
  if (agree(wrong, scaled(right, factor), tolerance) && (right.size() > 1 || well_known))
    return Pattern{Cause::factor, fmt::format("the gradient by {} is the right one times {}", name, words), factor};
  if (in_blocks(right.shape()) && agree(wrong, blocks_transposed(right), tolerance))
    return Pattern{Cause::transposed, right.shape()[0] == right.shape()[1]
                                          ? fmt::format("the gradient by {} is the transpose of the right one", name)
                                          : fmt::format("each gate's block of the gradient by {} is transposed", name)};
  if (time_axis && right.shape()[0] > 1 && agree(wrong, reversed(right), tolerance))
    return Pattern{Cause::time_term,
                   fmt::format("the gradient by {} is the right one in reversed order of time", name)};
  const double bound = largest_of(wrong);
  if (at_bound(wrong, bound) > 1 && agree(wrong, clipped(right, bound), tolerance))
    return Pattern{Cause::clipped, fmt::format("the gradient by {} is the right one, clipped to +-{:.6g}", name, bound),
                   bound};
  return std::nullopt;
}

}  // namespace unroll::detail
