#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>

#include <unroll/core/kernels/elementwise.hpp>
#include <unroll/core/kernels/reduce.hpp>

#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

// ---- softmax and log_softmax; ints[0] is the axis

Shape softmax_shape(const Call& c) {
  const std::size_t axis = normalize_axis(c.integer(0), c.shape(0).rank());
  if (c.shape(0)[axis] == 0) throw ShapeError(fmt::format("axis {} has no elements", axis));
  return c.shape(0);
}

template <bool logarithm> void softmax_forward(const Call& c, const Shape& shape, void* out, bool) {
  kernels::softmax(*c.inputs[0], normalize_axis(c.integer(0), shape.rank()), out, logarithm);
}

std::vector<Sample> softmax_samples(Var (*f)(Var, std::int64_t)) {
  const auto along = [f](std::int64_t axis) { return [=](std::span<const Var> x) { return f(x[0], axis); }; };
  return {{{spread({2, 3}, -2, 2)}, along(-1)},
          {{spread({3, 2}, -2, 2)}, along(0)},
          {{spread({2, 3, 2}, -2, 2)}, along(1)}};
}

std::vector<Sample> softmax_refused(Var (*f)(Var, std::int64_t)) {
  return {{{spread({2, 3}, -2, 2)}, [f](std::span<const Var> x) { return f(x[0], 2); }},
          {{spread({}, -2, 2)}, [f](std::span<const Var> x) { return f(x[0], -1); }}};
}

// The last axis goes without saying.
Symbol softmax_formula(std::string_view name, const Symbol& x, const Attributes& a) {
  const bool last = a.ints[0] == -1 || (x.shape && normalize_axis(a.ints[0], x.shape->rank()) + 1 == x.shape->rank());
  return last ? call(name, x) : reduced(name, x, a.ints);
}

const Op& softmax_op = define({
    .name = "softmax",
    .shape = softmax_shape,
    .forward = softmax_forward<false>,
    .only_stores = true,
    .vjp =
        [](Vjp& v) {
          const Var weighted = v.g * v.y;
          v.give(0, weighted - v.y * sum(weighted, {v.attributes.ints[0]}, true));
        },
    .jvp =
        [](const Jvp& j) {
          const Var weighted = j.t[0] * j.y;
          return weighted - j.y * sum(weighted, {j.attributes.ints[0]}, true);
        },
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return softmax_formula("softmax", x[0], a); },
    .samples = [] { return softmax_samples(softmax); },
    .refused = [] { return softmax_refused(softmax); },
});

const Op& log_softmax_op = define({
    .name = "log_softmax",
    .shape = softmax_shape,
    .forward = softmax_forward<true>,
    .only_stores = true,
    .vjp =
        [](Vjp& v) {
          const Var total = sum(v.g, {v.attributes.ints[0]}, true);
          v.give(0, v.g - exp(v.y) * total);
        },
    .jvp = [](const Jvp& j) { return j.t[0] - sum(exp(j.y) * j.t[0], {j.attributes.ints[0]}, true); },
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return softmax_formula("log_softmax", x[0], a); },
    .samples = [] { return softmax_samples(log_softmax); },
    .refused = [] { return softmax_refused(log_softmax); },
});

// ---- cross_entropy; ints are the targets, reals the weights of the rows (none: all 1). With p = softmax(logits) the derivative by a
// row is weight / total weight * (p - one_hot(target)).

Shape cross_entropy_shape(const Call& c) {
  const Shape& logits = c.shape(0);
  if (logits.rank() < 1 || logits[logits.rank() - 1] == 0)
    throw ShapeError("logits need a last axis with at least one class");
  const std::int64_t classes = logits[logits.rank() - 1];
  const std::size_t rows = logits.size() / static_cast<std::size_t>(classes);
  const auto targets = c.attributes.ints;
  const auto weights = c.attributes.reals;
  if (targets.size() != rows) throw ShapeError(fmt::format("{} targets for {} rows of logits", targets.size(), rows));
  if (!weights.empty() && weights.size() != rows)
    throw ShapeError(fmt::format("a mask of {} entries for {} rows of logits", weights.size(), rows));
  for (std::size_t i = 0; i < rows; ++i) {
    if (targets[i] < 0 || targets[i] >= classes)
      throw ShapeError(fmt::format("target {} is {}, expected a class from 0 to {}", i, targets[i], classes - 1));
    if (!weights.empty() && !(weights[i] >= 0))
      throw ShapeError(fmt::format("mask entry {} is {}, expected 0 or more", i, weights[i]));
  }
  return {};
}

// The derivative of the loss by the logits, as a recorded expression.
Var cross_entropy_slope(Var logits, const Attributes& attributes) {
  const Shape& shape = logits.shape();
  const std::int64_t classes = shape[shape.rank() - 1];
  const auto targets = attributes.ints;
  const auto weights = attributes.reals;
  double total = weights.empty() ? static_cast<double>(targets.size()) : 0;
  for (double weight : weights) total += weight;
  Array one_hot(shape, logits.dtype());
  for (std::size_t i = 0; i < targets.size(); ++i)
    one_hot.set_flat(i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(targets[i]), 1);
  const Var probability = softmax(logits);
  const Var difference = probability - logits.tape().constant(one_hot);
  if (weights.empty()) return difference * (1 / total);
  std::vector<std::int64_t> rows = shape.vector();
  rows.back() = 1;
  Array share(Shape(rows), logits.dtype());
  for (std::size_t i = 0; i < weights.size(); ++i) share.set_flat(i, total == 0 ? 0 : weights[i] / total);
  // chosen, not multiplied: a row that does not count may hold NaN
  const Var weight = logits.tape().constant(share);
  const Var weighted = difference * weight;
  return where(weight, weighted, logits.tape().scalar(0, logits.dtype()));
}

std::vector<Sample> cross_entropy_samples() {
  static constexpr std::int64_t targets[] = {2, 0, 1, 1};
  static constexpr double mask[] = {1, 0, 1, 1};
  return {{{spread({4, 3}, -2, 2)}, [](std::span<const Var> x) { return cross_entropy(x[0], targets); }},
          {{spread({2, 2, 3}, -2, 2)}, [](std::span<const Var> x) { return cross_entropy(x[0], targets, mask); }}};
}

std::vector<Sample> cross_entropy_refused() {
  static constexpr std::int64_t targets[] = {0, 3};
  static constexpr double mask[] = {1};
  return {{{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return cross_entropy(x[0], targets); }},
          {{spread({1, 3}, -2, 2)}, [](std::span<const Var> x) { return cross_entropy(x[0], targets); }},
          {{spread({2, 4}, -2, 2)}, [](std::span<const Var> x) { return cross_entropy(x[0], targets, mask); }}};
}

const Op& cross_entropy_op = define({
    .name = "cross_entropy",
    .shape = cross_entropy_shape,
    .forward = [](const Call& c, const Shape&, void* out,
                  bool) { kernels::cross_entropy(*c.inputs[0], c.attributes.ints, c.attributes.reals, out); },
    .only_stores = true,
    .vjp = [](Vjp& v) { v.give(0, v.g * cross_entropy_slope(v.x[0], v.attributes)); },
    .jvp = [](const Jvp& j) { return sum(j.t[0] * cross_entropy_slope(j.x[0], j.attributes)); },
    .formula = [](std::span<const Symbol> x,
                  const Attributes&) { return call("cross_entropy", x[0], Symbol{"targets"}); },
    .samples = cross_entropy_samples,
    .refused = cross_entropy_refused,
});

}  // namespace

Var softmax(Var x, std::int64_t axis) { return apply(softmax_op, {x}, {.ints = {&axis, 1}, .reals = {}}); }
Var log_softmax(Var x, std::int64_t axis) { return apply(log_softmax_op, {x}, {.ints = {&axis, 1}, .reals = {}}); }
Var cross_entropy(Var logits, std::span<const std::int64_t> targets, std::span<const double> mask) {
  return apply(cross_entropy_op, {logits}, {.ints = targets, .reals = mask});
}

const Op& classification_family() { return softmax_op; }

}  // namespace unroll
