#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>

#include <unroll/core/kernels/reduce.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

// Reductions. Attributes: ints[0] is 1 if the reduced axes are kept with extent 1, the axes follow (normalised, ascending).
namespace unroll {

namespace {

bool is_reduced(const Attributes& attributes, std::size_t axis) {
  const auto axes = attributes.ints.subspan(1);
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

// The shape with reduced axes kept as 1 (`keep`), or left out.
Shape reduced_shape(const Shape& shape, const Attributes& attributes, bool keep) {
  std::vector<std::int64_t> extents;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (!is_reduced(attributes, axis))
      extents.push_back(shape[axis]);
    else if (keep)
      extents.push_back(1);
  }
  return Shape(extents);
}

Shape reduce_shape(const Call& c) { return reduced_shape(c.shape(0), c.attributes, c.integer(0) == 1); }

// As above, for reductions that have no value over no elements.
Shape reduce_some_shape(const Call& c) {
  for (std::size_t axis = 0; axis < c.shape(0).rank(); ++axis)
    if (is_reduced(c.attributes, axis) && c.shape(0)[axis] == 0)
      throw ShapeError(fmt::format("axis {} has no elements to reduce", axis));
  return reduce_shape(c);
}

Shape kept_shape(const Call& c) { return reduced_shape(c.shape(0), c.attributes, true); }

// The number of elements that go into one result.
double reduced_count(const Shape& shape, const Attributes& attributes) {
  double count = 1;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    if (is_reduced(attributes, axis)) count *= static_cast<double>(shape[axis]);
  return count;
}

// A result of the reduction, back under the shape with kept axes and ready to broadcast against the input.
Var kept(Var reduced, Var x, const Attributes& attributes) {
  const Shape shape = reduced_shape(x.shape(), attributes, true);
  return reduced.shape() == shape ? reduced : reshape(reduced, shape);
}

Var reduce(const Op& op, Var x, const Axes& axes, bool keepdims) {
  std::vector<std::int64_t> ints{keepdims ? 1 : 0};
  try {
    for (std::int64_t axis : axes) ints.push_back(static_cast<std::int64_t>(normalize_axis(axis, x.shape().rank())));
    std::sort(ints.begin() + 1, ints.end());
    if (std::adjacent_find(ints.begin() + 1, ints.end()) != ints.end())
      throw ShapeError(fmt::format("axes [{}] name an axis twice", fmt::join(axes, ", ")));
  } catch (const ShapeError& e) {
    throw ShapeError(fmt::format("{}: {}: {}  {}", op.name, to_string(x.shape()), e.what(), x.tape().where(x.id())));
  }
  if (axes.empty())
    for (std::size_t axis = 0; axis < x.shape().rank(); ++axis) ints.push_back(static_cast<std::int64_t>(axis));
  return apply(op, {x}, {.ints = ints, .reals = {}});
}

using Reduction = Var (*)(Var, const Axes&, bool);

std::vector<Sample> reduce_samples(Reduction f) {
  const auto with = [f](Axes axes, bool keepdims) {
    return [=](std::span<const Var> x) { return f(x[0], axes, keepdims); };
  };
  return {{{spread({2, 3}, -2, 2)}, with({}, false)},    {{spread({2, 3}, -2, 2)}, with({0}, false)},
          {{spread({2, 3}, -2, 2)}, with({-1}, true)},   {{spread({2, 3, 4}, -2, 2)}, with({0, 2}, false)},
          {{spread({2, 3, 4}, -2, 2)}, with({1}, true)}, {{spread({2, 3}, -2, 2)}, with({1}, false)},
          {{spread({}, -2, 2)}, with({}, false)}};
}

std::vector<Sample> reduce_refused(Reduction f) {
  return {{{spread({2, 3}, -2, 2)}, [f](std::span<const Var> x) { return f(x[0], {2}, false); }},
          {{spread({2, 3}, -2, 2)}, [f](std::span<const Var> x) {
             return f(x[0], {1, -1}, false);
           }}};
}

Symbol reduce_formula(std::string_view name, std::span<const Symbol> x, const Attributes& attributes) {
  return reduced(name, x[0], attributes.ints.subspan(1));
}

// ---- sum, mean: the adjoint goes back to every element alike

const Op& sum_op = define({
    .name = "sum",
    .shape = reduce_shape,
    .forward = [](const Call& c, const Shape&, void* out,
                  bool accumulate) { kernels::sum(*c.inputs[0], kept_shape(c), out, 1, accumulate); },
    .vjp = [](Vjp& v) { v.give(0, broadcast_to(kept(v.g, v.x[0], v.attributes), v.x[0].shape())); },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return reduce_formula("sum", x, a); },
    .samples = [] { return reduce_samples(sum); },
    .refused = [] { return reduce_refused(sum); },
});

const Op& mean_op = define({
    .name = "mean",
    .shape = reduce_some_shape,
    .forward =
        [](const Call& c, const Shape&, void* out, bool accumulate) {
          kernels::sum(*c.inputs[0], kept_shape(c), out, 1 / reduced_count(c.shape(0), c.attributes), accumulate);
        },
    .vjp =
        [](Vjp& v) {
          const double share = 1 / reduced_count(v.x[0].shape(), v.attributes);
          v.give(0, broadcast_to(kept(v.g * share, v.x[0], v.attributes), v.x[0].shape()));
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return reduce_formula("mean", x, a); },
    .samples = [] { return reduce_samples(mean); },
    .refused = [] { return reduce_refused(mean); },
});

// ---- max: the adjoint goes to the largest elements, in equal shares

Var share_of_largest(Var x, Var y, const Attributes& attributes) {
  const Var is_largest = 1 - abs(sign(x - kept(y, x, attributes)));
  return is_largest / sum(is_largest, Axes(attributes.ints.begin() + 1, attributes.ints.end()), true);
}

const Op& max_op = define({
    .name = "max",
    .shape = reduce_some_shape,
    .forward = [](const Call& c, const Shape&, void* out, bool) { kernels::max(*c.inputs[0], kept_shape(c), out); },
    .only_stores = true,
    .vjp =
        [](Vjp& v) {
          const Var share = share_of_largest(v.x[0], v.y, v.attributes);
          v.give(0, kept(v.g, v.x[0], v.attributes) * share);
        },
    .jvp =
        [](const Jvp& j) {
          const Axes axes(j.attributes.ints.begin() + 1, j.attributes.ints.end());
          return sum(j.t[0] * share_of_largest(j.x[0], j.y, j.attributes), axes, j.attributes.ints[0] == 1);
        },
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return reduce_formula("max", x, a); },
    .samples = [] { return reduce_samples(max); },
    .refused = [] { return reduce_refused(max); },
});

// ---- logsumexp: its derivative is the softmax, exp(x - y)

const Op& logsumexp_op = define({
    .name = "logsumexp",
    .shape = reduce_some_shape,
    .forward = [](const Call& c, const Shape&, void* out,
                  bool) { kernels::logsumexp(*c.inputs[0], kept_shape(c), out); },
    .only_stores = true,
    .vjp =
        [](Vjp& v) {
          const Var softmax = exp(v.x[0] - kept(v.y, v.x[0], v.attributes));
          v.give(0, kept(v.g, v.x[0], v.attributes) * softmax);
        },
    .jvp =
        [](const Jvp& j) {
          const Axes axes(j.attributes.ints.begin() + 1, j.attributes.ints.end());
          const Var weighted = j.t[0] * exp(j.x[0] - kept(j.y, j.x[0], j.attributes));
          return sum(weighted, axes, j.attributes.ints[0] == 1);
        },
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return reduce_formula("logsumexp", x, a); },
    .samples = [] { return reduce_samples(logsumexp); },
    .refused = [] { return reduce_refused(logsumexp); },
});

// ---- sum_to: attributes are the extents of the result

Shape sum_to_shape(const Call& c) {
  const Shape target(c.attributes.ints);
  if (!broadcasts_to(target, c.shape(0)))
    throw ShapeError(fmt::format("{} does not broadcast to it", to_string(target)));
  return target;
}

// The sum over the axes that have another extent in the result.
Symbol sum_to_formula(std::span<const Symbol> x, const Attributes& a) {
  if (!x[0].shape) return call("sum_to", x[0], Symbol{to_string(Shape(a.ints))});
  const Shape& shape = *x[0].shape;
  const std::size_t added = shape.rank() - a.ints.size();
  std::vector<std::int64_t> axes;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    if (axis < added || a.ints[axis - added] != shape[axis]) axes.push_back(static_cast<std::int64_t>(axis));
  return axes.empty() ? x[0] : reduced("sum", x[0], axes);
}

const Op& sum_to_op = define({
    .name = "sum_to",
    .shape = sum_to_shape,
    .forward = [](const Call& c, const Shape& shape, void* out,
                  bool accumulate) { kernels::sum(*c.inputs[0], shape, out, 1, accumulate); },
    .vjp = [](Vjp& v) { v.give(0, broadcast_to(v.g, v.x[0].shape())); },
    .jvp = linear_jvp,
    .formula = sum_to_formula,
    .samples =
        [] {
          const auto to = [](Shape shape) { return [shape](std::span<const Var> x) { return sum_to(x[0], shape); }; };
          return std::vector<Sample>{{{spread({2, 3}, -2, 2)}, to({3})},
                                     {{spread({2, 3}, -2, 2)}, to({2, 1})},
                                     {{spread({2, 2, 3}, -2, 2)}, to({})},
                                     {{spread({2, 3}, -2, 2)}, to({2, 3})}};
        },
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return sum_to(x[0], {2}); }}};
        },
});

}  // namespace

Var sum(Var x, const Axes& axes, bool keepdims) { return reduce(sum_op, x, axes, keepdims); }
Var mean(Var x, const Axes& axes, bool keepdims) { return reduce(mean_op, x, axes, keepdims); }
Var max(Var x, const Axes& axes, bool keepdims) { return reduce(max_op, x, axes, keepdims); }
Var logsumexp(Var x, const Axes& axes, bool keepdims) { return reduce(logsumexp_op, x, axes, keepdims); }
Var sum_to(Var x, const Shape& shape) { return apply(sum_to_op, {x}, {.ints = shape.extents(), .reals = {}}); }

const Op& reductions_family() { return sum_op; }

}  // namespace unroll
