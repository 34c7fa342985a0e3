#include <unroll/optim/clipping.hpp>

#include <unroll/core/kernels/elementwise.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

double total_norm(const std::vector<Gradients::Entry>& entries) {
  double sum = 0;
  for (const auto& entry : entries) {
    const double n = norm(entry.value);
    sum += n * n;
  }
  return std::sqrt(sum);
}

// The entries for writing, after checks.
std::vector<Gradients::Entry> writable(Gradients& gradients, const char* what, double limit) {
  if (!(limit > 0)) throw ShapeError(fmt::format("{}: the limit is {}, expected a positive number", what, limit));
  std::vector<Gradients::Entry> entries = gradients.parameter_entries();
  for (const auto& entry : entries)
    if (!entry.data)
      throw GradientError(
          fmt::format("{}: these gradients are nodes of the tape (create_graph): take unrecorded ones", what));
  return entries;
}

}  // namespace

double gradient_norm(const Gradients& gradients) { return total_norm(gradients.parameter_entries()); }

double clip_by_norm(Gradients& gradients, double limit) {
  const auto entries = writable(gradients, "clip_by_norm", limit);
  const double total = total_norm(entries);
  if (std::isfinite(total) && total > limit)
    for (const auto& entry : entries) kernels::scale(entry.data, entry.value.size(), entry.value.dtype, limit / total);
  return total;
}

double clip_by_value(Gradients& gradients, double limit) {
  const auto entries = writable(gradients, "clip_by_value", limit);
  const double total = total_norm(entries);
  if (std::isfinite(total))
    for (const auto& entry : entries)
      dispatch(entry.value.dtype, [&](auto zero) {
        using T = decltype(zero);
        T* data = static_cast<T*>(entry.data);
        for (std::size_t i = 0; i < entry.value.size(); ++i)
          data[i] = std::clamp(data[i], static_cast<T>(-limit), static_cast<T>(limit));
      });
  return total;
}

}  // namespace unroll
