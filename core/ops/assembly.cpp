#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>

#include <unroll/core/kernels/elementwise.hpp>

#include <array>
#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

std::byte* offset(void* data, std::int64_t elements, DType dtype) {
  return static_cast<std::byte*>(data) + elements * static_cast<std::int64_t>(size_of(dtype));
}

// Writes (or adds) `part` into the row-major `out` of the given shape, from a position of an axis on.
void place(const ArrayView& part, const Shape& shape, void* out, std::size_t axis, std::int64_t position,
           bool accumulate) {
  std::array<std::int64_t, Shape::max_rank> strides;
  std::int64_t step = 1;
  for (std::size_t i = shape.rank(); i-- > 0; step *= shape[i]) strides[i] = step;
  kernels::copy_into(part, offset(out, position * strides[axis], part.dtype), strides.data(), accumulate);
}

// ---- pad; ints are axis, zeros before, zeros after

Shape pad_shape(const Call& c) {
  const Shape& shape = c.shape(0);
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  if (c.integer(1) < 0 || c.integer(2) < 0)
    throw ShapeError(fmt::format("{} zeros before and {} after: both are at least 0", c.integer(1), c.integer(2)));
  return shape.with(axis, shape[axis] + c.integer(1) + c.integer(2));
}

void pad_forward(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const DType dtype = c.inputs[0]->dtype;
  if (!accumulate) kernels::fill(out, shape.size(), dtype, 0);
  place(*c.inputs[0], shape, out, normalize_axis(c.integer(0), shape.rank()), c.integer(1), accumulate);
}

std::vector<Sample> pad_samples() {
  const auto with = [](std::int64_t axis, std::int64_t before, std::int64_t after) {
    return [=](std::span<const Var> x) { return pad(x[0], axis, before, after); };
  };
  return {{{spread({2, 3}, -2, 2)}, with(0, 1, 2)},
          {{spread({2, 3}, -2, 2)}, with(-1, 0, 2)},
          {{spread({2, 2, 2}, -2, 2)}, with(1, 1, 1)}};
}

const Op& pad_op = define({
    .name = "pad",
    .shape = pad_shape,
    .forward = pad_forward,
    .vjp =
        [](Vjp& v) {
          const std::int64_t axis = v.attributes.ints[0], before = v.attributes.ints[1];
          v.give(0, slice(v.g, axis, before, before + v.x[0].shape()[normalize_axis(axis, v.x[0].shape().rank())]));
        },
    .jvp = linear_jvp,
    .formula =
        [](std::span<const Symbol> x, const Attributes& a) {
          return call("pad", x[0],
                      Symbol{fmt::format("axis={}, before={}, after={}", a.ints[0], a.ints[1], a.ints[2])});
        },
    .samples = pad_samples,
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return pad(x[0], 0, -1, 0); }}};
        },
});

// name(first, second, ..., axis=0)
Symbol parts_formula(std::string_view name, std::span<const Symbol> parts, const Attributes& a) {
  std::string list;
  for (const Symbol& part : parts) list += part.text + ", ";
  return call(name, Symbol{list + fmt::format("axis={}", a.ints[0])});
}

// ---- concat; ints[0] is the axis

Shape concat_shape(const Call& c) {
  const Shape& first = c.shape(0);
  const std::size_t axis = normalize_axis(c.integer(0), first.rank());
  std::int64_t extent = 0;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const Shape& shape = c.shape(i);
    if (shape.rank() != first.rank() || shape.with(axis, 0) != first.with(axis, 0))
      throw ShapeError(fmt::format("part {} differs from part 0 beside axis {}", i, axis));
    extent += shape[axis];
  }
  return first.with(axis, extent);
}

void concat_forward(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  std::int64_t position = 0;
  for (const ArrayView* part : c.inputs) {
    place(*part, shape, out, axis, position, accumulate);
    position += part->shape[axis];
  }
}

std::vector<Sample> concat_samples() {
  const auto along = [](std::int64_t axis) { return [axis](std::span<const Var> x) { return concat(x, axis); }; };
  return {{{spread({2, 3}, -2, 2), spread({1, 3}, -2, 2, 1)}, along(0)},
          {{spread({2, 1}, -2, 2), spread({2, 3}, -2, 2, 1), spread({2, 2}, -2, 2, 2)}, along(-1)},
          {{spread({2}, -2, 2)}, along(0)}};
}

const Op& concat_op = define({
    .name = "concat",
    .arity = any_number,
    .shape = concat_shape,
    .forward = concat_forward,
    .vjp =
        [](Vjp& v) {
          const std::int64_t axis = v.attributes.ints[0];
          std::int64_t start = 0;
          for (std::size_t i = 0; i < v.x.size(); ++i) {
            const std::int64_t extent = v.x[i].shape()[normalize_axis(axis, v.x[i].shape().rank())];
            if (v.needs(i)) v.give(i, slice(v.g, axis, start, start + extent));
            start += extent;
          }
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return parts_formula("concat", x, a); },
    .samples = concat_samples,
    .refused =
        [] {
          const auto call = [](std::span<const Var> x) { return concat(x, 0); };
          return std::vector<Sample>{{{spread({2, 3}, -2, 2), spread({2, 4}, -2, 2)}, call},
                                     {{spread({2, 3}, -2, 2), spread({3}, -2, 2)}, call}};
        },
});

// ---- stack; ints[0] is the new axis

Shape stack_shape(const Call& c) {
  const Shape& first = c.shape(0);
  const std::size_t axis = normalize_axis(c.integer(0), first.rank() + 1);
  for (std::size_t i = 1; i < c.inputs.size(); ++i)
    if (c.shape(i) != first) throw ShapeError(fmt::format("part {} has another shape than part 0", i));
  std::vector<std::int64_t> extents = first.vector();
  extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::int64_t>(c.inputs.size()));
  return Shape(extents);
}

void stack_forward(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  std::vector<std::int64_t> strides = row_major_strides(shape);
  const std::int64_t step = strides[axis];
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  for (std::size_t i = 0; i < c.inputs.size(); ++i)
    kernels::copy_into(*c.inputs[i], offset(out, static_cast<std::int64_t>(i) * step, c.inputs[i]->dtype),
                       strides.data(), accumulate);
}

std::vector<Sample> stack_samples() {
  const auto along = [](std::int64_t axis) { return [axis](std::span<const Var> x) { return stack(x, axis); }; };
  return {{{spread({2, 3}, -2, 2), spread({2, 3}, -2, 2, 1)}, along(0)},
          {{spread({2, 3}, -2, 2), spread({2, 3}, -2, 2, 1), spread({2, 3}, -2, 2, 2)}, along(-1)},
          {{spread({}, -2, 2), spread({}, -2, 2, 1)}, along(0)}};
}

const Op& stack_op = define({
    .name = "stack",
    .arity = any_number,
    .shape = stack_shape,
    .forward = stack_forward,
    .vjp =
        [](Vjp& v) {
          for (std::size_t i = 0; i < v.x.size(); ++i)
            if (v.needs(i)) v.give(i, select(v.g, v.attributes.ints[0], static_cast<std::int64_t>(i)));
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x, const Attributes& a) { return parts_formula("stack", x, a); },
    .samples = stack_samples,
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2), spread({3, 2}, -2, 2)}, [](std::span<const Var> x) { return stack(x, 0); }}};
        },
});

// ---- gather; ints[0] is the axis, the indices follow. scatter_add; ints[0] is the axis, ints[1] its extent, the indices follow.

// Runs over an axis as (outer, axis, inner): the extents before and after it.
struct Around {
  Around(const Shape& shape, std::size_t axis) {
    for (std::size_t i = 0; i < shape.rank(); ++i)
      (i < axis ? outer : inner) *= i == axis ? 1 : static_cast<std::size_t>(shape[i]);
  }
  std::size_t outer = 1, inner = 1;
};

Shape gather_shape(const Call& c) {
  const std::size_t axis = normalize_axis(c.integer(0), c.shape(0).rank());
  const auto indices = c.attributes.ints.subspan(1);
  for (std::size_t k = 0; k < indices.size(); ++k)
    if (indices[k] < 0 || indices[k] >= c.shape(0)[axis])
      throw ShapeError(
          fmt::format("index {} is {}, expected 0 to {} on axis {}", k, indices[k], c.shape(0)[axis] - 1, axis));
  return c.shape(0).with(axis, static_cast<std::int64_t>(indices.size()));
}

Shape scatter_shape(const Call& c) {
  const std::size_t axis = normalize_axis(c.integer(0), c.shape(0).rank());
  const auto indices = c.attributes.ints.subspan(2);
  if (c.integer(1) < 0) throw ShapeError(fmt::format("size {} of axis {}: at least 0", c.integer(1), axis));
  if (static_cast<std::int64_t>(indices.size()) != c.shape(0)[axis])
    throw ShapeError(fmt::format("{} indices for axis {} of extent {}", indices.size(), axis, c.shape(0)[axis]));
  for (std::size_t k = 0; k < indices.size(); ++k)
    if (indices[k] < 0 || indices[k] >= c.integer(1))
      throw ShapeError(
          fmt::format("index {} is {}, expected 0 to {} on axis {}", k, indices[k], c.integer(1) - 1, axis));
  return c.shape(0).with(axis, c.integer(1));
}

// Moves rows between an array whose axis is indexed (`table`) and one whose axis runs along the indices (`rows`), in the direction that
// `row` takes; both are row-major.
template <class Row>
void for_each_indexed_row(const Shape& table, std::size_t axis, std::span<const std::int64_t> indices, Row&& row) {
  const Around around(table, axis);
  const auto extent = static_cast<std::size_t>(table[axis]);
  for (std::size_t o = 0; o < around.outer; ++o)
    for (std::size_t k = 0; k < indices.size(); ++k)
      row((o * extent + static_cast<std::size_t>(indices[k])) * around.inner, (o * indices.size() + k) * around.inner,
          around.inner);
}

void gather_forward(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const Array in = c.inputs[0]->contiguous() ? Array() : c.inputs[0]->copy();
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  dispatch(c.inputs[0]->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(c.inputs[0]->contiguous() ? c.inputs[0]->data : in.data());
    T* to = static_cast<T*>(out);
    for_each_indexed_row(c.shape(0), axis, c.attributes.ints.subspan(1),
                         [&](std::size_t table, std::size_t rows, std::size_t n) {
                           for (std::size_t i = 0; i < n; ++i)
                             to[rows + i] = (accumulate ? to[rows + i] : T(0)) + from[table + i];
                         });
  });
}

void scatter_forward(const Call& c, const Shape& shape, void* out, bool accumulate) {
  const Array in = c.inputs[0]->contiguous() ? Array() : c.inputs[0]->copy();
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  if (!accumulate) kernels::fill(out, shape.size(), c.inputs[0]->dtype, 0);
  dispatch(c.inputs[0]->dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(c.inputs[0]->contiguous() ? c.inputs[0]->data : in.data());
    T* to = static_cast<T*>(out);
    for_each_indexed_row(shape, axis, c.attributes.ints.subspan(2),
                         [&](std::size_t table, std::size_t rows, std::size_t n) {
                           for (std::size_t i = 0; i < n; ++i) to[table + i] += from[rows + i];
                         });
  });
}

const Op& gather_op = define({
    .name = "gather",
    .shape = gather_shape,
    .forward = gather_forward,
    .vjp =
        [](Vjp& v) {
          const std::int64_t axis = v.attributes.ints[0];
          v.give(0, scatter_add(v.g, v.attributes.ints.subspan(1), axis,
                                v.x[0].shape()[normalize_axis(axis, v.x[0].shape().rank())]));
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes&) { return Symbol{x[0].within(Symbol::atom) + "[indices]"}; },
    .samples =
        [] {
          static constexpr std::int64_t indices[] = {2, 0, 2, 1};
          return std::vector<Sample>{
              {{spread({3, 2}, -2, 2)}, [](std::span<const Var> x) { return gather(x[0], indices); }},
              {{spread({2, 3, 2}, -2, 2)}, [](std::span<const Var> x) { return gather(x[0], indices, 1); }}};
        },
    .refused =
        [] {
          static constexpr std::int64_t indices[] = {0, 3};
          return std::vector<Sample>{
              {{spread({3, 2}, -2, 2)}, [](std::span<const Var> x) { return gather(x[0], indices); }}};
        },
});

const Op& scatter_add_op = define({
    .name = "scatter_add",
    .shape = scatter_shape,
    .forward = scatter_forward,
    .vjp = [](Vjp& v) { v.give(0, gather(v.g, v.attributes.ints.subspan(2), v.attributes.ints[0])); },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes&) { return call("scatter_add", x[0], Symbol{"indices"}); },
    .samples =
        [] {
          static constexpr std::int64_t indices[] = {2, 0, 2};
          return std::vector<Sample>{
              {{spread({3, 2}, -2, 2)}, [](std::span<const Var> x) { return scatter_add(x[0], indices, 0, 4); }},
              {{spread({2, 3, 2}, -2, 2)}, [](std::span<const Var> x) { return scatter_add(x[0], indices, -2, 3); }}};
        },
    .refused =
        [] {
          static constexpr std::int64_t indices[] = {0, 3, 1};
          return std::vector<Sample>{
              {{spread({3, 2}, -2, 2)}, [](std::span<const Var> x) { return scatter_add(x[0], indices, 0, 3); }},
              {{spread({2, 2}, -2, 2)}, [](std::span<const Var> x) { return scatter_add(x[0], indices, 0, 4); }}};
        },
});

// The indices behind the leading numbers of the attributes.
std::vector<std::int64_t> attributes_with(std::initializer_list<std::int64_t> first,
                                          std::span<const std::int64_t> indices) {
  std::vector<std::int64_t> ints(first);
  ints.insert(ints.end(), indices.begin(), indices.end());
  return ints;
}

}  // namespace

Var pad(Var x, std::int64_t axis, std::int64_t before, std::int64_t after) {
  return apply(pad_op, {x}, {.ints = std::array{axis, before, after}, .reals = {}});
}
Var concat(std::span<const Var> parts, std::int64_t axis) {
  return apply(concat_op, parts, {.ints = {&axis, 1}, .reals = {}});
}
Var stack(std::span<const Var> parts, std::int64_t axis) {
  return apply(stack_op, parts, {.ints = {&axis, 1}, .reals = {}});
}
Var gather(Var x, std::span<const std::int64_t> indices, std::int64_t axis) {
  return apply(gather_op, {x}, {.ints = attributes_with({axis}, indices), .reals = {}});
}
Var scatter_add(Var x, std::span<const std::int64_t> indices, std::int64_t axis, std::int64_t size) {
  return apply(scatter_add_op, {x}, {.ints = attributes_with({axis, size}, indices), .reals = {}});
}

const Op& assembly_family() { return pad_op; }

}  // namespace unroll
