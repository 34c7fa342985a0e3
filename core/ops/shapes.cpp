#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>

#include <unroll/core/kernels/elementwise.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

// Other views of the same elements. Values are never written after they were computed, so sharing memory is safe.
namespace unroll {

namespace {

// Sets the strides of a view whose first element and shape are known: none where the elements are contiguous after all.
void set_strides(ArrayView& out, std::int64_t* strides) {
  std::int64_t step = 1;
  bool contiguous = true;
  for (std::size_t axis = out.rank(); axis-- > 0;) {
    contiguous &= strides[axis] == step || out.shape[axis] == 1;
    step *= out.shape[axis];
  }
  out.strides = contiguous ? nullptr : strides;
}

void set_data(ArrayView& out, const ArrayView& in, std::int64_t offset) {
  out.data = static_cast<const std::byte*>(in.data) + offset * static_cast<std::int64_t>(size_of(in.dtype));
}

void copy_forward(const Call& c, const Shape&, void* out, bool accumulate) {
  kernels::copy(*c.inputs[0], c.shape(0), out, accumulate);
}

// ---- reshape; ints are the extents of the result

Shape reshape_shape(const Call& c) {
  const Shape target(c.attributes.ints);
  if (target.size() != c.shape(0).size())
    throw ShapeError(
        fmt::format("{} elements cannot take the shape {} of {}", c.shape(0).size(), to_string(target), target.size()));
  return target;
}

std::vector<Sample> reshape_samples() {
  const auto to = [](Shape shape) { return [shape](std::span<const Var> x) { return reshape(x[0], shape); }; };
  return {{{spread({2, 3}, -2, 2)}, to({3, 2})},
          {{spread({2, 3}, -2, 2)}, to({6})},
          {{spread({}, -2, 2)}, to({1, 1})},
          {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) {
             return reshape(transpose(x[0]), {2, 3});
           }}};
}

const Op& reshape_op = define({
    .name = "reshape",
    .shape = reshape_shape,
    .forward = copy_forward,
    .view =
        [](const Call& c, ArrayView& out, Arena&) {
          out.data = c.inputs[0]->data;
          return c.inputs[0]->contiguous();
        },
    .vjp = [](Vjp& v) { v.give(0, reshape(v.g, v.x[0].shape())); },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes& a) { return call("reshape", x[0], Symbol{to_string(Shape(a.ints))}); },
    .samples = reshape_samples,
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return reshape(x[0], {4}); }}};
        },
});

// ---- transpose; ints[i] is the axis of the input that becomes axis i

Shape transpose_shape(const Call& c) {
  const Shape& shape = c.shape(0);
  const auto permutation = c.attributes.ints;
  std::vector<std::int64_t> extents(shape.rank(), -1);
  if (permutation.size() != shape.rank())
    throw ShapeError(fmt::format("[{}] is not a permutation of its axes", fmt::join(permutation, ", ")));
  std::vector<bool> seen(shape.rank());
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const std::size_t axis = normalize_axis(permutation[i], shape.rank());
    if (seen[axis])
      throw ShapeError(fmt::format("[{}] is not a permutation of its axes", fmt::join(permutation, ", ")));
    seen[axis] = true;
    extents[i] = shape[axis];
  }
  return Shape(extents);
}

bool transpose_view(const Call& c, ArrayView& out, Arena& arena) {
  const ArrayView& in = *c.inputs[0];
  auto* strides = arena.allocate_array<std::int64_t>(in.rank());
  for (std::size_t i = 0; i < in.rank(); ++i) strides[i] = in.stride(normalize_axis(c.integer(i), in.rank()));
  out.data = in.data;
  set_strides(out, strides);
  return true;
}

std::vector<Sample> transpose_samples() {
  return {{{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return transpose(x[0]); }},
          {{spread({2, 3, 4}, -2, 2)}, [](std::span<const Var> x) {
             return transpose(x[0], {2, 0, 1});
           }}};
}

// Whether it is what ^T means: the last two axes change places, the others stay.
bool swaps_last_axes(std::span<const std::int64_t> permutation) {
  const std::size_t rank = permutation.size();
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t swapped = i + 2 == rank ? rank - 1 : rank - 2;
    if (normalize_axis(permutation[i], rank) != (i + 2 < rank ? i : swapped)) return false;
  }
  return rank >= 2;
}

const Op& transpose_op = define({
    .name = "transpose",
    .shape = transpose_shape,
    .view = transpose_view,
    .vjp =
        [](Vjp& v) {
          Axes inverse(v.attributes.ints.size());
          for (std::size_t i = 0; i < inverse.size(); ++i)
            inverse[normalize_axis(v.attributes.ints[i], inverse.size())] = static_cast<std::int64_t>(i);
          v.give(0, transpose(v.g, inverse));
        },
    .jvp = linear_jvp,
    .formula =
        [](std::span<const Symbol> x, const Attributes& a) {
          if (!swaps_last_axes(a.ints))
            return call("transpose", x[0], Symbol{fmt::format("[{}]", fmt::join(a.ints, ", "))});
          if (x[0].binding == Symbol::power && x[0].text.ends_with("^T"))
            return Symbol{x[0].text.substr(0, x[0].text.size() - 2), Symbol::atom};
          return Symbol{x[0].within(Symbol::atom) + "^T", Symbol::power};
        },
    .samples = transpose_samples,
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)},
               [](std::span<const Var> x) {
                 return transpose(x[0], {0, 0});
               }},
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return transpose(x[0], {0}); }}};
        },
});

// ---- broadcast_to; ints are the extents of the result

Shape broadcast_to_shape(const Call& c) {
  const Shape target(c.attributes.ints);
  if (!broadcasts_to(c.shape(0), target))
    throw ShapeError(fmt::format("it does not broadcast to {}", to_string(target)));
  return target;
}

bool broadcast_view(const Call& c, ArrayView& out, Arena& arena) {
  const ArrayView& in = *c.inputs[0];
  const std::size_t added = out.rank() - in.rank();
  auto* strides = arena.allocate_array<std::int64_t>(out.rank());
  std::fill_n(strides, added, 0);
  for (std::size_t axis = 0; axis < in.rank(); ++axis)
    strides[added + axis] = in.shape[axis] == 1 ? 0 : in.stride(axis);
  out.data = in.data;
  set_strides(out, strides);
  return true;
}

const Op& broadcast_to_op = define({
    .name = "broadcast_to",
    .shape = broadcast_to_shape,
    .view = broadcast_view,
    .vjp = [](Vjp& v) { v.give(0, sum_to(v.g, v.x[0].shape())); },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes& a) { return call("broadcast_to", x[0], Symbol{to_string(Shape(a.ints))}); },
    .samples =
        [] {
          const auto to = [](Shape shape) {
            return [shape](std::span<const Var> x) { return broadcast_to(x[0], shape); };
          };
          return std::vector<Sample>{{{spread({3}, -2, 2)}, to({2, 3})},
                                     {{spread({2, 1}, -2, 2)}, to({2, 3})},
                                     {{spread({}, -2, 2)}, to({2, 2})}};
        },
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return broadcast_to(x[0], {3}); }}};
        },
});

// ---- slice; ints are axis, start and stop

std::int64_t position(std::int64_t p, std::int64_t extent) { return p < 0 ? p + extent : p; }

Shape slice_shape(const Call& c) {
  const Shape& shape = c.shape(0);
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  const std::int64_t start = position(c.integer(1), shape[axis]), stop = position(c.integer(2), shape[axis]);
  if (start < 0 || start > stop || stop > shape[axis])
    throw ShapeError(
        fmt::format("{}:{} is no range within axis {} of extent {}", c.integer(1), c.integer(2), axis, shape[axis]));
  return shape.with(axis, stop - start);
}

bool slice_view(const Call& c, ArrayView& out, Arena& arena) {
  const ArrayView& in = *c.inputs[0];
  const std::size_t axis = normalize_axis(c.integer(0), in.rank());
  auto* strides = arena.allocate_array<std::int64_t>(in.rank());
  for (std::size_t i = 0; i < in.rank(); ++i) strides[i] = in.stride(i);
  set_data(out, in, position(c.integer(1), in.shape[axis]) * strides[axis]);
  set_strides(out, strides);
  return true;
}

std::vector<Sample> slice_samples() {
  const auto part = [](std::int64_t axis, std::int64_t start, std::int64_t stop) {
    return [=](std::span<const Var> x) { return slice(x[0], axis, start, stop); };
  };
  return {{{spread({4, 3}, -2, 2)}, part(0, 1, 3)},
          {{spread({2, 5}, -2, 2)}, part(-1, -3, -1)},
          {{spread({2, 3, 2}, -2, 2)}, part(1, 0, 2)}};
}

const Op& slice_op = define({
    .name = "slice",
    .shape = slice_shape,
    .view = slice_view,
    .vjp =
        [](Vjp& v) {
          const std::int64_t axis = v.attributes.ints[0],
                             extent = v.x[0].shape()[normalize_axis(axis, v.x[0].shape().rank())];
          v.give(0, pad(v.g, axis, position(v.attributes.ints[1], extent),
                        extent - position(v.attributes.ints[2], extent)));
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes& a) { return indexed(x[0], a.ints[0], fmt::format("{}:{}", a.ints[1], a.ints[2])); },
    .samples = slice_samples,
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return slice(x[0], 1, 2, 5); }},
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return slice(x[0], 2, 0, 1); }},
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return slice(x[0], 1, 2, 1); }}};
        },
});

// ---- select; ints are axis and index

Shape select_shape(const Call& c) {
  const Shape& shape = c.shape(0);
  const std::size_t axis = normalize_axis(c.integer(0), shape.rank());
  const std::int64_t index = position(c.integer(1), shape[axis]);
  if (index < 0 || index >= shape[axis])
    throw ShapeError(fmt::format("index {} is outside axis {} of extent {}", c.integer(1), axis, shape[axis]));
  std::array<std::int64_t, Shape::max_rank> extents;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < shape.rank(); ++i)
    if (i != axis) extents[rank++] = shape[i];
  return Shape(std::span(extents.data(), rank));
}

bool select_view(const Call& c, ArrayView& out, Arena& arena) {
  const ArrayView& in = *c.inputs[0];
  const std::size_t axis = normalize_axis(c.integer(0), in.rank());
  auto* strides = arena.allocate_array<std::int64_t>(in.rank());
  for (std::size_t i = 0, to = 0; i < in.rank(); ++i)
    if (i != axis) strides[to++] = in.stride(i);
  set_data(out, in, position(c.integer(1), in.shape[axis]) * in.stride(axis));
  set_strides(out, strides);
  return true;
}

const Op& select_op = define({
    .name = "select",
    .shape = select_shape,
    .view = select_view,
    .vjp =
        [](Vjp& v) {
          const Shape& shape = v.x[0].shape();
          const std::size_t axis = normalize_axis(v.attributes.ints[0], shape.rank());
          const std::int64_t index = position(v.attributes.ints[1], shape[axis]);
          v.give(0, pad(reshape(v.g, shape.with(axis, 1)), static_cast<std::int64_t>(axis), index,
                        shape[axis] - index - 1));
        },
    .jvp = linear_jvp,
    .formula = [](std::span<const Symbol> x,
                  const Attributes& a) { return indexed(x[0], a.ints[0], std::to_string(a.ints[1])); },
    .samples =
        [] {
          const auto at = [](std::int64_t axis, std::int64_t index) {
            return [=](std::span<const Var> x) { return select(x[0], axis, index); };
          };
          return std::vector<Sample>{{{spread({3, 2}, -2, 2)}, at(0, 1)},
                                     {{spread({3, 2, 2}, -2, 2)}, at(-1, -1)},
                                     {{spread({2}, -2, 2)}, at(0, 0)}};
        },
    .refused =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return select(x[0], 0, 2); }}};
        },
});

}  // namespace

Var reshape(Var x, const Shape& shape) { return apply(reshape_op, {x}, {.ints = shape.extents(), .reals = {}}); }

Var transpose(Var x, const Axes& permutation) {
  if (!permutation.empty()) return apply(transpose_op, {x}, {.ints = permutation, .reals = {}});
  std::array<std::int64_t, Shape::max_rank> axes;
  const std::size_t rank = x.shape().rank();
  std::iota(axes.begin(), axes.begin() + rank, 0);
  if (rank >= 2) std::swap(axes[rank - 1], axes[rank - 2]);
  return apply(transpose_op, {x}, {.ints = {axes.data(), rank}, .reals = {}});
}

Var broadcast_to(Var x, const Shape& shape) {
  return apply(broadcast_to_op, {x}, {.ints = shape.extents(), .reals = {}});
}

Var slice(Var x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  return apply(slice_op, {x}, {.ints = std::array{axis, start, stop}, .reals = {}});
}

Var select(Var x, std::int64_t axis, std::int64_t index) {
  return apply(select_op, {x}, {.ints = std::array{axis, index}, .reals = {}});
}

std::vector<Var> split(Var x, std::int64_t axis, std::span<const std::int64_t> sizes) {
  const std::int64_t extent = x.shape()[normalize_axis(axis, x.shape().rank())];
  if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 0; }))
    throw ShapeError(
        fmt::format("split: {}: sizes [{}]: none is below 0", to_string(x.shape()), fmt::join(sizes, ", ")));
  if (std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != extent)
    throw ShapeError(fmt::format("split: {}: sizes [{}] do not add up to {} on axis {}", to_string(x.shape()),
                                 fmt::join(sizes, ", "), extent, axis));
  std::vector<Var> parts;
  std::int64_t start = 0;
  for (std::int64_t size : sizes) {
    parts.push_back(slice(x, axis, start, start + size));
    start += size;
  }
  return parts;
}

std::vector<Var> split(Var x, std::int64_t axis, std::int64_t parts) {
  const std::int64_t extent = x.shape()[normalize_axis(axis, x.shape().rank())];
  if (parts < 1 || extent % parts != 0)
    throw ShapeError(fmt::format("split: {}: axis {} of extent {} has no {} equal parts", to_string(x.shape()), axis,
                                 extent, parts));
  const std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), extent / parts);
  return split(x, axis, sizes);
}

const Op& shapes_family() { return reshape_op; }

}  // namespace unroll
