#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/ops.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

using Samples = std::vector<Sample>;

// ---- matmul: y = a b over the last two axes; da = g b^T, db = a^T g

Shape matmul_shape(const Call& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.rank() < 2 || b.rank() < 2) throw ShapeError("both operands need at least two axes");
  const std::int64_t inner_a = a[a.rank() - 1], inner_b = b[b.rank() - 2];
  if (inner_a != inner_b) throw ShapeError(fmt::format("inner {} != {}", inner_a, inner_b));
  if (a.rank() == 2 && b.rank() == 2) return {a[0], b[1]};
  const Shape batch = broadcast(Shape(a.extents().first(a.rank() - 2)), Shape(b.extents().first(b.rank() - 2)));
  std::vector<std::int64_t> extents = batch.vector();
  extents.push_back(a[a.rank() - 2]);
  extents.push_back(b[b.rank() - 1]);
  return Shape(extents);
}

Samples matmul_samples() {
  const auto call = [](std::span<const Var> x) { return matmul(x[0], x[1]); };
  const auto sample = [&](Shape a, Shape b) { return Sample{{spread(a, -1, 1), spread(b, -1, 1, 1)}, call}; };
  const auto transposed = [](std::span<const Var> x) { return matmul(transpose(x[0]), transpose(x[1])); };
  return {sample({2, 3}, {3, 4}),
          sample({2, 2, 3}, {2, 3, 2}),
          sample({2, 1, 2, 3}, {3, 3, 2}),
          sample({2, 2, 3}, {3, 1}),
          {{spread({3, 2}, -1, 1), spread({4, 3}, -1, 1, 1)}, transposed}};
}

Samples matmul_refused() {
  const auto call = [](std::span<const Var> x) { return matmul(x[0], x[1]); };
  return {{{spread({2, 3}, -1, 1), spread({2, 3}, -1, 1)}, call}, {{spread({3}, -1, 1), spread({3, 2}, -1, 1)}, call}};
}

const Op& matmul_op = define({
    .name = "matmul",
    .arity = 2,
    .shape = matmul_shape,
    .forward = [](const Call& c, const Shape& shape, void* out,
                  bool accumulate) { kernels::matmul(*c.inputs[0], *c.inputs[1], shape, out, accumulate); },
    .vjp =
        [](Vjp& v) {
          if (v.needs(0)) v.give(0, matmul(v.g, transpose(v.x[1])));
          if (v.needs(1)) v.give(1, matmul(transpose(v.x[0]), v.g));
        },
    .jvp =
        [](const Jvp& j) {
          if (j.t[1].empty()) return matmul(j.t[0], j.x[1]);
          if (j.t[0].empty()) return matmul(j.x[0], j.t[1]);
          const Var by_a = matmul(j.t[0], j.x[1]), by_b = matmul(j.x[0], j.t[1]);
          return by_a + by_b;
        },
    .formula = [](std::span<const Symbol> x, const Attributes&) { return juxtaposed(x[0], x[1]); },
    .samples = matmul_samples,
    .refused = matmul_refused,
});

// ---- affine: y = x W + b, or x W + h U + b; each product by matmul's rules, and db is g summed over the rows

Shape affine_shape(const Call& c) {
  const std::size_t n = c.inputs.size();
  const Shape& bias = c.shape(n - 1);
  const std::int64_t rows = c.shape(0).rank() == 2 ? c.shape(0)[0] : -1;
  const std::int64_t columns = c.shape(1).rank() == 2 ? c.shape(1)[1] : -1;
  for (std::size_t i = 0; i + 1 < n; i += 2) {
    const Shape &x = c.shape(i), &w = c.shape(i + 1);
    if (x.rank() != 2 || w.rank() != 2) throw ShapeError("x, W, h and U need two axes each");
    if (x[1] != w[0]) throw ShapeError(fmt::format("inner {} != {} (operands {} and {})", x[1], w[0], i, i + 1));
    if (x[0] != rows) throw ShapeError(fmt::format("x has {} rows, h has {}", rows, x[0]));
    if (w[1] != columns) throw ShapeError(fmt::format("W has {} columns, U has {}", columns, w[1]));
  }
  if (bias.rank() != 1 || bias[0] != columns)
    throw ShapeError(fmt::format("the bias has shape {}, expected ({})", to_string(bias), columns));
  return {rows, columns};
}

Samples affine_samples() {
  return {{{spread({2, 3}, -1, 1), spread({3, 4}, -1, 1, 1), spread({4}, -1, 1, 2)},
           [](std::span<const Var> x) { return affine(x[0], x[1], x[2]); }},
          {{spread({2, 3}, -1, 1), spread({3, 4}, -1, 1, 1), spread({2, 2}, -1, 1, 2), spread({2, 4}, -1, 1, 3),
            spread({4}, -1, 1, 4)},
           [](std::span<const Var> x) { return affine(x[0], x[1], x[2], x[3], x[4]); }}};
}

Samples affine_refused() {
  const auto call = [](std::span<const Var> x) { return affine(x[0], x[1], x[2]); };
  return {
      {{spread({2, 3}, -1, 1), spread({2, 4}, -1, 1), spread({4}, -1, 1)}, call},
      {{spread({2, 3}, -1, 1), spread({3, 4}, -1, 1), spread({3}, -1, 1)}, call},
      {{spread({2, 3}, -1, 1), spread({3, 4}, -1, 1), spread({1, 2}, -1, 1), spread({2, 4}, -1, 1), spread({4}, -1, 1)},
       [](std::span<const Var> x) { return affine(x[0], x[1], x[2], x[3], x[4]); }}};
}

const Op& affine_op = define({
    .name = "affine",
    .arity = any_number,
    .shape = affine_shape,
    .forward =
        [](const Call& c, const Shape& shape, void* out, bool accumulate) {
          const std::size_t bias = c.inputs.size() - 1;
          kernels::copy(*c.inputs[bias], shape, out, accumulate);
          for (std::size_t i = 0; i < bias; i += 2) kernels::matmul(*c.inputs[i], *c.inputs[i + 1], shape, out, true);
        },
    .vjp =
        [](Vjp& v) {
          const std::size_t bias = v.x.size() - 1;
          for (std::size_t i = 0; i < bias; i += 2) {
            if (v.needs(i)) v.give(i, matmul(v.g, transpose(v.x[i + 1])));
            if (v.needs(i + 1)) v.give(i + 1, matmul(transpose(v.x[i]), v.g));
          }
          if (v.needs(bias)) v.give(bias, v.g);  // the sweep sums over the rows
        },
    .jvp =
        [](const Jvp& j) {
          const std::size_t bias = j.x.size() - 1;
          Var total = j.t[bias].empty() ? Var() : broadcast_to(j.t[bias], j.y.shape());
          const auto add_term = [&](Var term) { total = total.empty() ? term : total + term; };
          for (std::size_t i = 0; i < bias; i += 2) {
            if (!j.t[i].empty()) add_term(matmul(j.t[i], j.x[i + 1]));
            if (!j.t[i + 1].empty()) add_term(matmul(j.x[i], j.t[i + 1]));
          }
          return total;
        },
    .formula =
        [](std::span<const Symbol> x, const Attributes&) {
          Symbol total = juxtaposed(x[0], x[1]);
          for (std::size_t i = 2; i + 1 < x.size(); i += 2) total = total + juxtaposed(x[i], x[i + 1]);
          return total + x.back();
        },
    .samples = affine_samples,
    .refused = affine_refused,
});

}  // namespace

Var matmul(Var a, Var b) { return apply(matmul_op, {a, b}); }
Var affine(Var x, Var w, Var b) { return apply(affine_op, {x, w, b}); }
Var affine(Var x, Var w, Var h, Var u, Var b) { return apply(affine_op, {x, w, h, u, b}); }

const Op& products_family() { return matmul_op; }

}  // namespace unroll
