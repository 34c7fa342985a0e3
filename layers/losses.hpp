#pragma once

#include <unroll/core/ops/ops.hpp>

#include <span>
#include <vector>

namespace unroll {

// The mean squared error over all elements; shapes must be equal (a silent broadcast here is nearly always a mistake).
Var mse(Var prediction, Var target);

// Cross-entropy over time: one (batch, classes) array of logits for each step, and the targets step after step, batch within step. The
// mean is over all rows, or over those whose mask is not 0.
Var cross_entropy(const std::vector<Var>& logits, std::span<const std::int64_t> targets,
                  std::span<const double> mask = {});

}  // namespace unroll
