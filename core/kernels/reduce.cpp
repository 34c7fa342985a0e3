#include <unroll/core/kernels/reduce.hpp>

#include <unroll/core/kernels/elementwise.hpp>
#include <unroll/core/kernels/loops.hpp>
#include <unroll/core/kernels/math.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace unroll::kernels {

namespace {

// Partial sums in independent lanes: the compiler may use vector registers without changing the order of any addition, so the
// result is the same on every run.
template <class T> T sum_row(const T* x, std::size_t n) {
  constexpr std::size_t lanes = 16;
  T partial[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += x[i + lane];
  T total = 0;
  for (; i < n; ++i) total += x[i];
  for (std::size_t width = lanes / 2; width > 0; width /= 2)
    for (std::size_t lane = 0; lane < width; ++lane) partial[lane] += partial[lane + width];
  return total + partial[0];
}

// Calls body(out, in, n, out_step, in_step) for every row of the input, seen through the input's shape. The results may have another
// type than the elements.
template <class T, class R = T, class Body>
void for_each_row(const ArrayView& in, const Shape& reduced, void* out, Body&& body) {
  const Operand operands[] = {in, {out, reduced}};
  const Nest nest(in.shape, operands);
  nest.for_each_row([&](const auto& offset) {
    body(static_cast<R*>(out) + offset[1], static_cast<const T*>(in.data) + offset[0], nest.extent[0],
         nest.stride[1][0], nest.stride[0][0]);
  });
}

// Sums of float32 lose what is small beside them when they run long: from so many terms on, they are added up in float64, in blocks
// that are short enough to be summed in float32.
constexpr std::size_t long_sum = 4096;
constexpr std::size_t block = 512;

// Adds factor * the sums, in the arithmetic of R.
template <class T, class R> void sum_as(const ArrayView& in, const Shape& reduced, R* out, R factor) {
  for_each_row<T, R>(in, reduced, out,
                     [factor](R* to, const T* from, std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
                       if (to_step == 0 && from_step == 1) {
                         R total = 0;
                         const auto count = static_cast<std::size_t>(n);
                         for (std::size_t begin = 0; begin < count; begin += block)
                           total += static_cast<R>(sum_row(from + begin, std::min(block, count - begin)));
                         *to += factor * total;
                       } else if (to_step == 1 && from_step == 1) {
                         for (std::int64_t i = 0; i < n; ++i) to[i] += factor * static_cast<R>(from[i]);
                       } else {
                         for (std::int64_t i = 0; i < n; ++i)
                           to[i * to_step] += factor * static_cast<R>(from[i * from_step]);
                       }
                     });
}

template <class T> void softmax_row(const T* x, T* y, std::size_t n, bool logarithm) {
  T largest = x[0];
  for (std::size_t i = 1; i < n; ++i) largest = math::maximum(largest, x[i]);
  for (std::size_t i = 0; i < n; ++i) y[i] = math::exp(x[i] - largest);
  const T total = sum_row(y, n);
  if (logarithm) {
    const T log_total = std::log(total);  // not added to the largest, beside which it could be lost
    for (std::size_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - log_total;
  } else {
    for (std::size_t i = 0; i < n; ++i) y[i] /= total;
  }
}

}  // namespace

void sum(const ArrayView& in, const Shape& reduced, void* out, double factor, bool accumulate) {
  if (!accumulate) fill(out, reduced.size(), in.dtype, 0);
  if (in.dtype == DType::f64) return sum_as<double>(in, reduced, static_cast<double*>(out), factor);
  if (in.size() < long_sum * reduced.size())
    return sum_as<float>(in, reduced, static_cast<float*>(out), static_cast<float>(factor));
  std::vector<double> sums(reduced.size());
  sum_as<float>(in, reduced, sums.data(), factor);
  for (std::size_t i = 0; i < sums.size(); ++i) static_cast<float*>(out)[i] += static_cast<float>(sums[i]);
}

void max(const ArrayView& in, const Shape& reduced, void* out) {
  fill(out, reduced.size(), in.dtype, -std::numeric_limits<double>::infinity());
  dispatch(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_row<T>(in, reduced, out,
                    [](T* to, const T* from, std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
                      for (std::int64_t i = 0; i < n; ++i)
                        to[i * to_step] = math::maximum(to[i * to_step], from[i * from_step]);
                    });
  });
}

void logsumexp(const ArrayView& in, const Shape& reduced, void* out) {
  dispatch(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> largest(reduced.size());
    max(in, reduced, largest.data());
    for (T& m : largest)
      if (std::isinf(m)) m = 0;  // exp(-inf) is 0 and exp(inf) is inf without any shift
    T* result = static_cast<T*>(out);
    std::fill_n(result, reduced.size(), T(0));
    for_each_row<T>(in, reduced, out,
                    [&](T* to, const T* from, std::int64_t n, std::int64_t to_step, std::int64_t from_step) {
                      const T* m = largest.data() + (to - result);
                      for (std::int64_t i = 0; i < n; ++i)
                        to[i * to_step] += math::exp(from[i * from_step] - m[i * to_step]);
                    });
    for (std::size_t i = 0; i < largest.size(); ++i) result[i] = largest[i] + std::log(result[i]);
  });
}

void softmax(const ArrayView& in, std::size_t axis, void* out, bool logarithm) {
  const auto n = static_cast<std::size_t>(in.shape[axis]);
  if (in.size() == 0) return;
  copy(in, in.shape, out, false);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < in.rank(); ++i) inner *= static_cast<std::size_t>(in.shape[i]);
  dispatch(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* data = static_cast<T*>(out);
    std::vector<T> row(n), result(n);
    for (std::size_t outer = 0; outer < in.size(); outer += n * inner)
      for (std::size_t column = 0; column < inner; ++column) {
        T* first = data + outer + column;
        for (std::size_t i = 0; i < n; ++i) row[i] = first[i * inner];
        softmax_row(row.data(), result.data(), n, logarithm);
        for (std::size_t i = 0; i < n; ++i) first[i * inner] = result[i];
      }
  });
}

void cross_entropy(const ArrayView& logits, std::span<const std::int64_t> targets, std::span<const double> weights,
                   void* out) {
  const auto classes = static_cast<std::size_t>(logits.shape[logits.rank() - 1]);
  const Array rows = logits.contiguous() ? Array() : logits.copy();
  dispatch(logits.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(logits.contiguous() ? logits.data : rows.data());
    std::vector<T> log_probability(classes);
    double total = 0, count = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const double weight = weights.empty() ? 1 : weights[i];
      if (weight == 0) continue;
      softmax_row(x + i * classes, log_probability.data(), classes, true);
      total -= weight * static_cast<double>(log_probability[static_cast<std::size_t>(targets[i])]);
      count += weight;
    }
    *static_cast<T*>(out) = static_cast<T>(count == 0 ? 0 : total / count);
  });
}

}  // namespace unroll::kernels
