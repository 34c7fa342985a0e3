#pragma once

#include <unroll/core/ops/ops.hpp>

#include <span>
#include <vector>

namespace unroll {

// The mean squared error over all elements; shapes must be equal (a silent broadcast here is nearly always a mistake).
Var mse(Var prediction, Var target);

// The mean over the rows that count: the mask has the first axes of the prediction, (time, batch) for (time, batch, feature), and is 1
// where a row counts and 0 where it does not, or a weight (the mean is then the weighted one). What does not count may hold anything, NaN
// too. The mean over no rows is 0.
Var mse(Var prediction, Var target, const Array& mask);

// A mask (time, batch) divided by how many steps each sequence has, so that every sequence has the same weight in a mean however long it is. A
// sequence without any step keeps weight 0. In float64, as cross_entropy takes it (with Array::span).
Array per_sequence(const Array& mask);

// Cross-entropy over time: one (batch, classes) array of logits for each step, and the targets step after step, batch within step. The
// mean is over all rows, or over those whose mask is not 0: a mask (time, batch) in float64 goes in by mask.span<double>().
Var cross_entropy(const std::vector<Var>& logits, std::span<const std::int64_t> targets,
                  std::span<const double> mask = {});

}  // namespace unroll
