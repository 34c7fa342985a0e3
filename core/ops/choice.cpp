#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/pointwise.hpp>

#include <array>

#include <fmt/format.h>

// Operations that pick one of several numbers. Their derivatives are 0 or 1 (a half at a tie), written with sign() so that they are
// operations themselves.
namespace unroll {

namespace {

const Op& maximum_op = define_binary(
    {"maximum", [] { return binary_samples(maximum, -2, 2, -2, 2); }},  //
    [](auto a, auto b) { return maximum(a, b); }, [](auto a, auto b, auto) { return (1 + sign(a - b)) / 2; },
    [](auto a, auto b, auto) { return (1 - sign(a - b)) / 2; });

const Op& minimum_op = define_binary(
    {"minimum", [] { return binary_samples(minimum, -2, 2, -2, 2); }},  //
    [](auto a, auto b) { return minimum(a, b); }, [](auto a, auto b, auto) { return (1 - sign(a - b)) / 2; },
    [](auto a, auto b, auto) { return (1 + sign(a - b)) / 2; });

std::vector<Sample> where_samples() {
  const auto call = [](std::span<const Var> x) { return where(x[0], x[1], x[2]); };
  const Array condition(Shape{2, 3}, {1, 0, 1, 0, 0, 1});
  return {{{condition, spread({2, 3}, -2, 2), spread({2, 3}, -2, 2, 1)}, call, {0}},
          {{condition, spread({3}, -2, 2), spread({}, -2, 2, 1)}, call, {0}}};
}

const Op& where_op = define_ternary(
    {"where", where_samples},  //
    [](auto condition, auto a, auto b) { return where(condition, a, b); }, [](auto, auto, auto, auto) { return 0; },
    [](auto condition, auto, auto, auto) { return abs(sign(condition)); },
    [](auto condition, auto, auto, auto) { return 1 - abs(sign(condition)); });

std::vector<Sample> clip_samples() {
  const auto call = [](std::span<const Var> x) { return clip(x[0], -0.8, 1.1); };
  return {{{spread({2, 4}, -2, 2)}, call}, {{spread({}, -2, 2)}, call}};
}

// p[0] is the lower bound, p[1] the upper one. Inside, x - y is 0.
const Op& clip_op = define_unary(
    {"clip", clip_samples},  //
    [](auto x, const double* p) { return clip(x, p[0], p[1]); },
    [](auto x, auto y, const double*) { return 1 - abs(sign(x - y)); });

}  // namespace

Var maximum(Var a, Var b) { return apply(maximum_op, {a, b}); }
Var minimum(Var a, Var b) { return apply(minimum_op, {a, b}); }
Var where(Var condition, Var a, Var b) { return apply(where_op, {condition, a, b}); }

Var clip(Var x, double low, double high) {
  if (!(low <= high))
    throw ShapeError(fmt::format("clip: the lower bound {} is not below the upper bound {}", low, high));
  return apply(clip_op, {x}, {.ints = {}, .reals = std::array{low, high}});
}

const Op& choice_family() { return maximum_op; }

}  // namespace unroll
