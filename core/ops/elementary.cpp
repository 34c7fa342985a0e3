#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/pointwise.hpp>

#include <numbers>

namespace unroll {

namespace {

const Op& exp_op = define_unary(
    {"exp", [] { return unary_samples(exp, -2, 2); }},  //
    [](auto x) { return exp(x); },                      //
    [](auto, auto y) { return y; });

const Op& log_op = define_unary(
    {"log", [] { return unary_samples(log, 0.3, 3); }},  //
    [](auto x) { return log(x); },                       //
    [](auto x, auto) { return 1 / x; });

const Op& log1p_op = define_unary(
    {"log1p", [] { return unary_samples(log1p, -0.5, 2); }},  //
    [](auto x) { return log1p(x); },                          //
    [](auto x, auto) { return 1 / (1 + x); });

const Op& expm1_op = define_unary(
    {"expm1", [] { return unary_samples(expm1, -2, 2); }},  //
    [](auto x) { return expm1(x); },                        //
    [](auto, auto y) { return y + 1; });

const Op& sin_op = define_unary(
    {"sin", [] { return unary_samples(sin, -3, 3); }},  //
    [](auto x) { return sin(x); },                      //
    [](auto x, auto) { return cos(x); });

const Op& cos_op = define_unary(
    {"cos", [] { return unary_samples(cos, -3, 3); }},  //
    [](auto x) { return cos(x); },                      //
    [](auto x, auto) { return -sin(x); });

const Op& erf_op = define_unary(
    {"erf", [] { return unary_samples(erf, -1.5, 1.5); }},  //
    [](auto x) { return erf(x); },                          //
    [](auto x, auto) { return like(x, 2 * std::numbers::inv_sqrtpi) * exp(-square(x)); });

}  // namespace

Var exp(Var x) { return apply(exp_op, {x}); }
Var log(Var x) { return apply(log_op, {x}); }
Var log1p(Var x) { return apply(log1p_op, {x}); }
Var expm1(Var x) { return apply(expm1_op, {x}); }
Var sin(Var x) { return apply(sin_op, {x}); }
Var cos(Var x) { return apply(cos_op, {x}); }
Var erf(Var x) { return apply(erf_op, {x}); }

const Op& elementary_family() { return exp_op; }

}  // namespace unroll
