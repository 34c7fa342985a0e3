#include "program_operations.hpp"

#include <unroll/core/ops/ops.hpp>

#include <algorithm>
#include <numeric>

namespace unroll::test {

namespace {

using MaybeShape = std::optional<Shape>;

// ---- rules for shapes

std::size_t from_start(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

bool has_axis(const Shape& shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape.rank());
  return axis >= -rank && axis < rank;
}

MaybeShape broadcast_rule(const Line&, Shapes x) {
  std::vector<std::int64_t> extents;
  for (const Shape& shape : x) {
    if (shape.rank() > extents.size()) extents.insert(extents.begin(), shape.rank() - extents.size(), 1);
    for (std::size_t i = 0; i < shape.rank(); ++i) {
      std::int64_t& extent = extents[extents.size() - shape.rank() + i];
      if (extent == 1)
        extent = shape[i];
      else if (shape[i] != 1 && shape[i] != extent)
        return {};
    }
  }
  return Shape(extents);
}

bool broadcast_together(const Shape& a, const Shape& b) { return broadcast_rule({}, std::vector{a, b}).has_value(); }

bool is_broadcast_of(const Shape& from, const Shape& to) {
  return broadcast_rule({}, std::vector{from, to}) == MaybeShape(to);
}

// `over_nothing`: whether there is a result where no elements are reduced.
MaybeShape reduction_rule(const Line& line, const Shape& x, bool over_nothing) {
  std::vector<bool> reduced(x.rank(), line.ints("axes").empty());
  for (const std::int64_t axis : line.ints("axes")) {
    if (!has_axis(x, axis) || reduced[from_start(axis, x.rank())]) return {};
    reduced[from_start(axis, x.rank())] = true;
  }
  std::vector<std::int64_t> extents;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (reduced[i] && x[i] == 0 && !over_nothing) return {};
    if (!reduced[i]) extents.push_back(x[i]);
    if (reduced[i] && line.integer("keepdims")) extents.push_back(1);
  }
  return Shape(extents);
}

MaybeShape with_extent(const Shape& x, std::int64_t axis, std::int64_t extent) {
  if (!has_axis(x, axis) || extent < 0) return {};
  return x.with(from_start(axis, x.rank()), extent);
}

// ---- pointwise operations: the rule is broadcasting, any operands do

Operation pointwise(std::string_view text, Var (*f)(Var), Var (*sides)(Var) = nullptr) {
  Operation operation{text, [](Draft& d, Line& line) { line.operands = {d.pick()}; }, broadcast_rule,
                      [f](const Line&, Vars x) { return f(x[0]); }};
  if (sides) operation.sides = [sides](const Line&, Vars x) { return sides(x[0]); };
  return operation;
}

Operation pointwise(std::string_view text, Var (*f)(Var, Var), Var (*sides)(Var, Var) = nullptr) {
  const auto draw = [](Draft& d, Line& line) {
    line.operands = {d.pick()};
    line.operands.push_back(d.beside(d.shape(line.operands[0])));
    if (d.chance(0.5)) std::swap(line.operands[0], line.operands[1]);
  };
  Operation operation{text, draw, broadcast_rule, [f](const Line&, Vars x) { return f(x[0], x[1]); }};
  if (sides) operation.sides = [sides](const Line&, Vars x) { return sides(x[0], x[1]); };
  return operation;
}

Var positive(Var x) { return softplus(x) + 0.1; }

void add_pointwise(std::vector<Operation>& all) {
  all.push_back(pointwise("neg", neg));
  all.push_back(pointwise("square", square));
  all.push_back(pointwise("sqrt(softplus({}) + 0.1)", [](Var x) { return sqrt(positive(x)); }));
  all.push_back(pointwise("pow({}, 3)", [](Var x) { return pow(x, 3); }));
  all.push_back(pointwise("pow({}, 0)", [](Var x) { return pow(x, 0); }));
  all.push_back(pointwise("pow(softplus({}) + 0.1, -0.5)", [](Var x) { return pow(positive(x), -0.5); }));
  all.push_back(pointwise("abs", abs, sign));
  all.push_back(pointwise("sign", sign, sign));
  all.push_back(pointwise("{} * 2", [](Var x) { return x * 2; }));
  all.push_back(pointwise("1 - {}", [](Var x) { return 1 - x; }));
  all.push_back(pointwise("exp", exp));
  all.push_back(pointwise("log(softplus({}) + 0.1)", [](Var x) { return log(positive(x)); }));
  all.push_back(pointwise("log1p(square({}))", [](Var x) { return log1p(square(x)); }));
  all.push_back(pointwise("expm1", expm1));
  all.push_back(pointwise("sin", sin));
  all.push_back(pointwise("cos", cos));
  all.push_back(pointwise("erf", erf));
  all.push_back(pointwise("tanh", tanh));
  all.push_back(pointwise("sigmoid", sigmoid));
  all.push_back(pointwise("relu", relu, sign));
  all.push_back(pointwise("softplus", softplus));
  all.push_back(pointwise(
      "clip({}, -0.5, 0.7)", [](Var x) { return clip(x, -0.5, 0.7); },
      [](Var x) {
        const Var above_low = sign(x + 0.5), above_high = sign(x - 0.7);
        return above_low + above_high;
      }));
  all.push_back(pointwise("dropout({}, 0.4)", [](Var x) {
    Generator generator(3);  // every call draws the same mask
    return dropout(x, 0.4, generator);
  }));

  const auto larger = [](Var a, Var b) { return sign(a - b); };
  all.push_back(pointwise("add", add));
  all.push_back(pointwise("sub", sub));
  all.push_back(pointwise("mul", mul));
  all.push_back(pointwise("div({}, softplus({}) + 0.1)", [](Var a, Var b) { return a / positive(b); }));
  all.push_back(pointwise("maximum", maximum, larger));
  all.push_back(pointwise("minimum", minimum, larger));
  all.push_back({"where(relu({}), {}, {})",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   line.operands.push_back(d.beside(d.shape(line.operands[0])));
                   const std::vector both{d.shape(line.operands[0]), d.shape(line.operands[1])};
                   line.operands.push_back(d.beside(*broadcast_rule(line, both)));
                   std::rotate(line.operands.begin(), line.operands.begin() + d.between(0, 2), line.operands.end());
                 },
                 broadcast_rule, [](const Line&, Vars x) { return where(relu(x[0]), x[1], x[2]); },
                 [](const Line&, Vars x) { return sign(x[0]); }});
}

// ---- products

MaybeShape matmul_rule(const Line& line, Shapes x) {
  const auto split = [](const Shape& shape) {
    const std::vector<std::int64_t> v = shape.vector();
    return std::pair(Shape(std::span(v).first(v.size() - 2)), std::array{v[v.size() - 2], v[v.size() - 1]});
  };
  if (x[0].rank() < 2 || x[1].rank() < 2) return {};
  const auto [batch_a, a] = split(x[0]);
  const auto [batch_b, b] = split(x[1]);
  const MaybeShape batch = broadcast_rule(line, std::vector{batch_a, batch_b});
  if (!batch || a[1] != b[0]) return {};
  std::vector<std::int64_t> extents = batch->vector();
  extents.insert(extents.end(), {a[0], b[1]});
  return Shape(extents);
}

// x (B, M), W (M, N), perhaps h (B, K), U (K, N), and b (N).
MaybeShape affine_rule(const Line&, Shapes x) {
  const std::size_t n = x.size();
  for (std::size_t i = 0; i + 1 < n; ++i)
    if (x[i].rank() != 2) return {};
  if (x[n - 1].rank() != 1) return {};
  for (std::size_t i = 0; i + 1 < n; i += 2)
    if (x[i][1] != x[i + 1][0] || x[i][0] != x[0][0] || x[i + 1][1] != x[n - 1][0]) return {};
  return Shape{x[0][0], x[n - 1][0]};
}

void add_products(std::vector<Operation>& all) {
  all.push_back(
      {"matmul",
       [](Draft& d, Line& line) {
         const std::size_t a = d.pick(2);
         const bool left = d.chance(0.5);
         std::vector<std::int64_t> extents = d.shape(a).vector();
         const std::int64_t inner = left ? extents.back() : extents[extents.size() - 2];
         const auto fits = [&](const Shape& b) {
           return matmul_rule(line, left ? std::vector{d.shape(a), b} : std::vector{b, d.shape(a)}).has_value();
         };
         const Shape otherwise = left ? Shape{inner, d.extent()} : Shape{d.extent(), inner};
         const std::size_t b = d.pick(fits, otherwise);
         line.operands = left ? std::vector{a, b} : std::vector{b, a};
       },
       matmul_rule, [](const Line&, Vars x) { return matmul(x[0], x[1]); }});
  all.push_back({"affine",
                 [](Draft& d, Line& line) {
                   const auto matrix = [](const Shape& shape) { return shape.rank() == 2; };
                   const std::size_t x = d.pick(matrix, {d.extent(), d.extent()});
                   const std::int64_t rows = d.shape(x)[0], columns = d.extent(), more = d.extent();
                   line.operands = {x, d.like({d.shape(x)[1], columns})};
                   if (d.chance(0.5)) {
                     line.operands.push_back(d.like({rows, more}));
                     line.operands.push_back(d.like({more, columns}));
                   }
                   line.operands.push_back(d.like({columns}));
                 },
                 affine_rule,
                 [](const Line&, Vars x) {
                   return x.size() == 3 ? affine(x[0], x[1], x[2]) : affine(x[0], x[1], x[2], x[3], x[4]);
                 }});
}

// ---- reductions

Operation reduction(std::string_view name, Var (*f)(Var, const Axes&, bool), bool over_nothing) {
  const auto draw = [](Draft& d, Line& line) {
    line.operands = {d.pick()};
    const auto rank = static_cast<std::int64_t>(d.shape(line.operands[0]).rank());
    Axes axes;  // in any order; none stands for all
    for (std::int64_t axis = 0; axis < rank; ++axis)
      if (d.chance(0.4))
        axes.insert(axes.begin() + d.between(0, static_cast<std::int64_t>(axes.size())),
                    d.chance(0.5) ? axis : axis - rank);
    line.attributes = {{"axes", axes}, {"keepdims", {d.chance(0.5)}}};
  };
  const auto call = [f](const Line& line, Vars x) { return f(x[0], line.ints("axes"), line.integer("keepdims")); };
  return {name, draw, [over_nothing](const Line& line, Shapes x) { return reduction_rule(line, x[0], over_nothing); },
          call};
}

void add_reductions(std::vector<Operation>& all) {
  all.push_back(reduction("sum", sum, true));
  all.push_back(reduction("mean", mean, false));
  all.push_back(reduction("logsumexp", logsumexp, false));
  all.push_back(reduction("max", max, false));
  all.back().sides = [](const Line& line, Vars x) { return sign(x[0] - max(x[0], line.ints("axes"), true)); };
  all.push_back({"sum_to",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   std::vector<std::int64_t> extents = d.shape(line.operands[0]).vector();
                   const auto rank = static_cast<std::int64_t>(extents.size());
                   extents.erase(extents.begin(), extents.begin() + d.between(0, rank));
                   for (std::int64_t& extent : extents)
                     if (d.chance(0.4)) extent = 1;
                   line.attributes = {{"shape", extents}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const Shape shape(line.ints("shape"));
                   if (!is_broadcast_of(shape, x[0])) return {};
                   return shape;
                 },
                 [](const Line& line, Vars x) { return sum_to(x[0], Shape(line.ints("shape"))); }});
}

// ---- classification

Operation softmax_operation(std::string_view name, Var (*f)(Var, std::int64_t)) {
  return {name,
          [](Draft& d, Line& line) {
            line.operands = {d.pick(1)};
            line.attributes = {{"axis", {d.axis(d.shape(line.operands[0]).rank())}}};
          },
          [](const Line& line, Shapes x) -> MaybeShape {
            if (!has_axis(x[0], line.integer("axis")) || x[0][from_start(line.integer("axis"), x[0].rank())] == 0)
              return {};
            return x[0];
          },
          [f](const Line& line, Vars x) { return f(x[0], line.integer("axis")); }};
}

void add_classification(std::vector<Operation>& all) {
  all.push_back(softmax_operation("softmax", softmax));
  all.push_back(softmax_operation("log_softmax", log_softmax));
  all.push_back({"cross_entropy",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   const Shape& shape = d.shape(line.operands[0]);
                   const std::int64_t classes = shape[shape.rank() - 1];
                   const auto rows = static_cast<std::int64_t>(shape.with(shape.rank() - 1, 1).size());
                   line.attributes = {{"targets", d.indices(rows, std::max(classes, std::int64_t{1}))}, {"mask", {}}};
                   if (d.chance(0.5)) line.attributes[1].values = d.indices(rows, 3);
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   if (x[0].rank() == 0) return {};
                   const std::size_t last = x[0].rank() - 1, rows = x[0].with(last, 1).size();
                   const auto &targets = line.ints("targets"), &mask = line.ints("mask");
                   if (x[0][last] == 0 || targets.size() != rows || (!mask.empty() && mask.size() != rows)) return {};
                   if (std::any_of(targets.begin(), targets.end(), [&](std::int64_t t) { return t >= x[0][last]; }))
                     return {};
                   return Shape{};
                 },
                 [](const Line& line, Vars x) {
                   const std::vector<double> mask(line.ints("mask").begin(), line.ints("mask").end());
                   return cross_entropy(x[0], line.ints("targets"), mask);
                 }});
}

// ---- shapes

void add_shapes(std::vector<Operation>& all) {
  all.push_back({"reshape",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   std::vector<std::int64_t> extents = d.shape(line.operands[0]).vector();
                   const auto some = [&] {
                     return extents.begin() + d.between(0, static_cast<std::int64_t>(extents.size()) - 1);
                   };
                   if (extents.size() >= 2 && d.chance(0.5)) std::iter_swap(some(), some());
                   if (extents.size() >= 2 && d.chance(0.5)) {
                     extents[1] *= extents[0];
                     extents.erase(extents.begin());
                   }
                   if (extents.empty() || d.chance(0.3)) extents.insert(extents.empty() ? extents.end() : some(), 1);
                   line.attributes = {{"shape", extents}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const Shape shape(line.ints("shape"));
                   if (shape.size() != x[0].size()) return {};
                   return shape;
                 },
                 [](const Line& line, Vars x) { return reshape(x[0], Shape(line.ints("shape"))); }});
  all.push_back({"transpose",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   const std::size_t rank = d.shape(line.operands[0]).rank();
                   Axes axes(rank);
                   std::iota(axes.begin(), axes.end(), 0);
                   for (std::size_t i = 1; i < rank; ++i)
                     std::swap(axes[i], axes[static_cast<std::size_t>(d.between(0, static_cast<std::int64_t>(i)))]);
                   for (std::int64_t& axis : axes)
                     if (d.chance(0.2)) axis -= static_cast<std::int64_t>(rank);
                   if (d.chance(0.3)) axes.clear();  // the last two axes change places
                   line.attributes = {{"permutation", axes}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const Axes& axes = line.ints("permutation");
                   std::vector<std::int64_t> extents = x[0].vector();
                   if (axes.empty()) {
                     if (extents.size() >= 2) std::iter_swap(extents.end() - 1, extents.end() - 2);
                     return Shape(extents);
                   }
                   if (axes.size() != extents.size()) return {};
                   for (std::size_t i = 0; i < axes.size(); ++i) extents[i] = x[0][from_start(axes[i], axes.size())];
                   return Shape(extents);
                 },
                 [](const Line& line, Vars x) { return transpose(x[0], line.ints("permutation")); }});
  all.push_back({"broadcast_to",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   std::vector<std::int64_t> extents = d.shape(line.operands[0]).vector();
                   for (std::int64_t& extent : extents)
                     if (extent == 1) extent = d.extent();
                   if (d.chance(0.5)) extents.insert(extents.begin(), d.extent());
                   line.attributes = {{"shape", extents}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const Shape shape(line.ints("shape"));
                   if (!is_broadcast_of(x[0], shape)) return {};
                   return shape;
                 },
                 [](const Line& line, Vars x) { return broadcast_to(x[0], Shape(line.ints("shape"))); }});
  all.push_back({"slice",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   const Shape& shape = d.shape(line.operands[0]);
                   const std::int64_t axis = d.axis(shape.rank()), extent = shape[from_start(axis, shape.rank())];
                   const std::int64_t start = d.between(0, std::max(extent - 1, std::int64_t{0})),
                                      stop = d.between(std::min(start + !d.chance(0.1), extent), extent);
                   // positions that do not lie at the end may count from there
                   const auto position = [&](std::int64_t p) { return p < extent && d.chance(0.3) ? p - extent : p; };
                   line.attributes = {{"axis", {axis}}, {"start", {position(start)}}, {"stop", {position(stop)}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   if (!has_axis(x[0], line.integer("axis"))) return {};
                   const std::int64_t extent = x[0][from_start(line.integer("axis"), x[0].rank())];
                   const auto position = [&](std::string_view name) {
                     return line.integer(name) < 0 ? line.integer(name) + extent : line.integer(name);
                   };
                   const std::int64_t start = position("start"), stop = position("stop");
                   if (start < 0 || stop > extent) return {};
                   return with_extent(x[0], line.integer("axis"), stop - start);
                 },
                 [](const Line& line, Vars x) {
                   return slice(x[0], line.integer("axis"), line.integer("start"), line.integer("stop"));
                 }});
  all.push_back(
      {"select",
       [](Draft& d, Line& line) {
         line.operands = {d.pick(1)};
         const Shape& shape = d.shape(line.operands[0]);
         const std::int64_t axis = d.axis(shape.rank()), extent = shape[from_start(axis, shape.rank())];
         line.attributes = {{"axis", {axis}}, {"index", {d.between(-extent, std::max(extent - 1, std::int64_t{0}))}}};
       },
       [](const Line& line, Shapes x) -> MaybeShape {
         if (!has_axis(x[0], line.integer("axis"))) return {};
         const std::size_t axis = from_start(line.integer("axis"), x[0].rank());
         const std::int64_t index = line.integer("index");
         if (index < -x[0][axis] || index >= x[0][axis]) return {};
         std::vector<std::int64_t> extents = x[0].vector();
         extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(axis));
         return Shape(extents);
       },
       [](const Line& line, Vars x) { return select(x[0], line.integer("axis"), line.integer("index")); }});
  all.push_back(
      {"split",
       [](Draft& d, Line& line) {
         line.operands = {d.pick(1)};
         const Shape& shape = d.shape(line.operands[0]);
         const std::int64_t axis = d.axis(shape.rank()), extent = shape[from_start(axis, shape.rank())];
         const std::int64_t first = d.between(0, extent), part = 2 * first < extent;
         line.attributes = {
             {"axis", {axis}}, {"sizes", {first, extent - first}}, {"part", {d.chance(0.2) ? 1 - part : part}}};
       },
       [](const Line& line, Shapes x) -> MaybeShape {
         if (!has_axis(x[0], line.integer("axis"))) return {};
         const auto& sizes = line.ints("sizes");
         if (sizes[0] + sizes[1] != x[0][from_start(line.integer("axis"), x[0].rank())]) return {};
         return with_extent(x[0], line.integer("axis"), sizes[static_cast<std::size_t>(line.integer("part"))]);
       },
       [](const Line& line, Vars x) {
         return split(x[0], line.integer("axis"), line.ints("sizes"))[static_cast<std::size_t>(line.integer("part"))];
       }});
}

// ---- assembly

void add_assembly(std::vector<Operation>& all) {
  all.push_back({"pad",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   line.attributes = {{"axis", {d.axis(d.shape(line.operands[0]).rank())}},
                                      {"before", {d.between(0, 2)}},
                                      {"after", {d.between(0, 2)}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   if (!has_axis(x[0], line.integer("axis"))) return {};
                   const std::int64_t extent = x[0][from_start(line.integer("axis"), x[0].rank())];
                   return with_extent(x[0], line.integer("axis"),
                                      extent + line.integer("before") + line.integer("after"));
                 },
                 [](const Line& line, Vars x) {
                   return pad(x[0], line.integer("axis"), line.integer("before"), line.integer("after"));
                 }});
  all.push_back({"concat",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   const Shape shape = d.shape(line.operands[0]);
                   const std::int64_t axis = d.axis(shape.rank());
                   const std::size_t place = from_start(axis, shape.rank());
                   const auto fits = [&](const Shape& other) {
                     return other.rank() == shape.rank() && other.with(place, 0) == shape.with(place, 0);
                   };
                   for (std::int64_t more = d.between(0, 2); more > 0; --more)
                     line.operands.push_back(d.pick(fits, shape.with(place, d.extent())));
                   line.attributes = {{"axis", {axis}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const std::int64_t axis = line.integer("axis");
                   if (!has_axis(x[0], axis)) return {};
                   const std::size_t place = from_start(axis, x[0].rank());
                   std::int64_t extent = 0;
                   for (const Shape& part : x) {
                     if (part.rank() != x[0].rank() || part.with(place, 0) != x[0].with(place, 0)) return {};
                     extent += part[place];
                   }
                   return with_extent(x[0], axis, extent);
                 },
                 [](const Line& line, Vars x) { return concat(x, line.integer("axis")); }});
  all.push_back({"stack",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick()};
                   for (std::int64_t more = d.between(0, 2); more > 0; --more)
                     line.operands.push_back(d.like(d.shape(line.operands[0])));
                   line.attributes = {{"axis", {d.axis(d.shape(line.operands[0]).rank() + 1)}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   for (const Shape& part : x)
                     if (part != x[0]) return {};
                   std::vector<std::int64_t> extents = x[0].vector();
                   const std::int64_t axis = line.integer("axis"), rank = static_cast<std::int64_t>(extents.size()) + 1;
                   if (axis < -rank || axis >= rank) return {};
                   extents.insert(extents.begin() + (axis < 0 ? axis + rank : axis),
                                  static_cast<std::int64_t>(x.size()));
                   return Shape(extents);
                 },
                 [](const Line& line, Vars x) { return stack(x, line.integer("axis")); }});
  all.push_back({"gather",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   const Shape& shape = d.shape(line.operands[0]);
                   const std::int64_t axis = d.axis(shape.rank()), extent = shape[from_start(axis, shape.rank())];
                   line.attributes = {{"indices", d.indices(extent == 0 ? 0 : d.extent(), extent)}, {"axis", {axis}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   const auto& indices = line.ints("indices");
                   if (!has_axis(x[0], line.integer("axis"))) return {};
                   const std::int64_t extent = x[0][from_start(line.integer("axis"), x[0].rank())];
                   if (std::any_of(indices.begin(), indices.end(), [&](std::int64_t i) { return i >= extent; }))
                     return {};
                   return with_extent(x[0], line.integer("axis"), static_cast<std::int64_t>(indices.size()));
                 },
                 [](const Line& line, Vars x) { return gather(x[0], line.ints("indices"), line.integer("axis")); }});
  all.push_back({"scatter_add",
                 [](Draft& d, Line& line) {
                   line.operands = {d.pick(1)};
                   const Shape& shape = d.shape(line.operands[0]);
                   const std::int64_t axis = d.axis(shape.rank()), size = d.between(1, 4);
                   line.attributes = {{"indices", d.indices(shape[from_start(axis, shape.rank())], size)},
                                      {"axis", {axis}},
                                      {"size", {size}}};
                 },
                 [](const Line& line, Shapes x) -> MaybeShape {
                   if (!has_axis(x[0], line.integer("axis"))) return {};
                   const std::int64_t extent = x[0][from_start(line.integer("axis"), x[0].rank())];
                   if (static_cast<std::int64_t>(line.ints("indices").size()) != extent) return {};
                   return with_extent(x[0], line.integer("axis"), line.integer("size"));
                 },
                 [](const Line& line, Vars x) {
                   return scatter_add(x[0], line.ints("indices"), line.integer("axis"), line.integer("size"));
                 }});
}

}  // namespace

const std::vector<Operation>& program_operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> operations;
    add_pointwise(operations);
    add_products(operations);
    add_reductions(operations);
    add_classification(operations);
    add_shapes(operations);
    add_assembly(operations);
    return operations;
  }();
  return all;
}

const Operation& squashing_operation() {
  const auto& all = program_operations();
  return *std::find_if(all.begin(), all.end(), [](const Operation& operation) { return operation.text == "tanh"; });
}

// ---- Draft: the parts that need the rules

std::int64_t Draft::axis(std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  return between(-n, n - 1);
}

std::int64_t Draft::extent() {
  const std::int64_t position = between(0, 99);
  return position < 4 ? 0 : position < 30 ? 1 : position < 60 ? 2 : position < 90 ? 3 : 4;
}

std::vector<std::int64_t> Draft::indices(std::int64_t count, std::int64_t below) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(between(0, below - 1));
  return result;
}

std::size_t Draft::input(const Shape& shape) {
  Line line;
  line.shape = shape;
  line.seed = random.bits();
  lines_.push_back(line);
  values_.push_back(tape_.input(RandomProgram{{line}}.inputs()[0]));
  large_.push_back(false);
  return lines_.size() - 1;
}

std::size_t Draft::pick(const std::function<bool(const Shape&)>& fits, const Shape& otherwise) {
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < lines_.size(); ++i)
    if (!large_[i] && fits(lines_[i].shape)) fitting.push_back(i);
  if (fitting.empty() || chance(0.05)) return input(otherwise);
  const auto last_result =
      std::find_if(fitting.rbegin(), fitting.rend(), [&](std::size_t i) { return !lines_[i].is_input(); });
  if (last_result != fitting.rend() && chance(0.5)) return *last_result;
  return fitting[random.below(fitting.size())];
}

std::size_t Draft::pick() { return pick(0); }

std::size_t Draft::pick(std::size_t ranks) {
  std::vector<std::int64_t> extents(std::max(ranks, static_cast<std::size_t>(between(0, 3))));
  for (std::int64_t& e : extents) e = extent();
  return pick([&](const Shape& shape) { return shape.rank() >= ranks; }, Shape(extents));
}

std::size_t Draft::like(const Shape& shape) {
  return pick([&](const Shape& other) { return other == shape; }, shape);
}

std::size_t Draft::beside(const Shape& shape) {
  std::vector<std::int64_t> extents = shape.vector();
  for (std::int64_t& e : extents)
    if (chance(0.25))
      e = 1;
    else if (e == 1 && chance(0.5))
      e = extent();
  if (chance(0.3))
    extents.erase(extents.begin(), extents.begin() + between(0, static_cast<std::int64_t>(extents.size())));
  if (chance(0.15)) extents.insert(extents.begin(), extent());
  if (!broadcast_together(shape, Shape(extents))) extents = shape.vector();  // an axis was put before a shorter shape
  if (chance(0.25)) return input(Shape(extents));
  return pick([&](const Shape& other) { return broadcast_together(shape, other); }, Shape(extents));
}

void Draft::append(Line line) {
  std::vector<Shape> shapes;
  for (const std::size_t operand : line.operands) shapes.push_back(lines_[operand].shape);
  const std::optional<Shape> shape = line.operation->shape(line, shapes);
  constexpr std::size_t largest_rank = 4, largest_size = 60;
  if (!shape || shape->rank() > largest_rank || shape->size() > largest_size) return;
  line.shape = *shape;
  lines_.push_back(line);
  values_.push_back(run_line(line, values_));
  constexpr double largest_element = 4;
  bool large = false;
  for (std::size_t i = 0; i < shape->size(); ++i) large |= std::abs(values_.back().value().flat(i)) > largest_element;
  large_.push_back(large);
  if (!large) return;
  Line squash;
  squash.operation = &squashing_operation();
  squash.operands = {lines_.size() - 1};
  append(squash);
}

}  // namespace unroll::test
