#pragma once

#include <unroll/core/array/array.hpp>

#include <span>

// Reductions and what is built on them. `reduced` has the rank of the input, with extent 1 on every axis that is summed away
// (as keepdims leaves it), or is any shape that broadcasts to the input's; the results are row-major.
namespace unroll::kernels {

// out (+)= factor * sum of `in` over the axes along which `reduced` repeats.
void sum(const ArrayView& in, const Shape& reduced, void* out, double factor, bool accumulate);

// The largest element; NaN wins. Every reduced axis must have elements.
void max(const ArrayView& in, const Shape& reduced, void* out);

// log(sum(exp(in))), shifted by the maximum so that it neither overflows nor loses everything.
void logsumexp(const ArrayView& in, const Shape& reduced, void* out);

// Along one axis: exp(x) / sum(exp(x)), or its logarithm.
void softmax(const ArrayView& in, std::size_t axis, void* out, bool logarithm);

// The mean over rows of logsumexp(row) - row[target]: `logits` is (..., classes) and there is one target for each row. Rows whose
// weight is 0 do not count; without weights all do. The mean over no rows is 0.
void cross_entropy(const ArrayView& logits, std::span<const std::int64_t> targets, std::span<const double> weights,
                   void* out);

}  // namespace unroll::kernels
