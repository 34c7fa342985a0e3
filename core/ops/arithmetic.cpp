#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/pointwise.hpp>

// Sums, products and powers. In every definition: the formula, then its derivative by each input, given the inputs and the result y.
namespace unroll {

namespace {

const Op& add_op = define_binary(
    {"add", [] { return binary_samples(add, -2, 2, -2, 2); }},                 //
    [](auto a, auto b) { return a + b; }, [](auto, auto, auto) { return 1; },  //
    [](auto, auto, auto) { return 1; });

const Op& sub_op = define_binary(
    {"sub", [] { return binary_samples(sub, -2, 2, -2, 2); }},                 //
    [](auto a, auto b) { return a - b; }, [](auto, auto, auto) { return 1; },  //
    [](auto, auto, auto) { return -1; });

const Op& mul_op = define_binary(
    {"mul", [] { return binary_samples(mul, -2, 2, -2, 2); }},                   //
    [](auto a, auto b) { return a * b; }, [](auto, auto b, auto) { return b; },  //
    [](auto a, auto, auto) { return a; });

const Op& div_op = define_binary(
    {"div", [] { return binary_samples(div, -2, 2, 0.5, 2); }},                      //
    [](auto a, auto b) { return a / b; }, [](auto, auto b, auto) { return 1 / b; },  //
    [](auto, auto b, auto y) { return -y / b; });

const Op& neg_op = define_unary(
    {"neg", [] { return unary_samples(neg, -2, 2); }},  //
    [](auto x) { return -x; },                          //
    [](auto, auto) { return -1; });

const Op& square_op = define_unary(
    {"square", [] { return unary_samples(square, -2, 2); }},  //
    [](auto x) { return square(x); },                         //
    [](auto x, auto) { return 2 * x; });

// p[0] is the exponent. For exponent 0 the derivative is 0 times 1, also at x = 0.
const Op& pow_op = define_unary(
    {"pow",
     [] {
       const auto to = [](double e) { return [e](std::span<const Var> x) { return pow(x[0], e); }; };
       return std::vector<Sample>{{{spread({2, 3}, 0.5, 2)}, to(2.5)},
                                  {{spread({4}, -2, 2)}, to(3)},
                                  {{spread({4}, 0.5, 2)}, to(-1)},
                                  {{spread({}, -2, 2)}, to(0)}};
     }},
    [](auto x, const double* p) { return pow(x, p[0]); },
    [](auto x, auto, const double* p) { return like(x, p[0]) * pow(x, p[0] == 0 ? 0 : p[0] - 1); });

const Op& sqrt_op = define_unary(
    {"sqrt", [] { return unary_samples(sqrt, 0.5, 3); }},  //
    [](auto x) { return sqrt(x); },                        //
    [](auto, auto y) { return 1 / (2 * y); });

const Op& abs_op = define_unary(
    {"abs", [] { return unary_samples(abs, -2, 2.1); }},  //
    [](auto x) { return abs(x); },                        //
    [](auto x, auto) { return sign(x); });

const Op& sign_op = define_unary(
    {"sign", [] { return unary_samples(sign, -2, 2.1); }},  //
    [](auto x) { return sign(x); },                         //
    [](auto, auto) { return 0; });

}  // namespace

Var add(Var a, Var b) { return apply(add_op, {a, b}); }
Var sub(Var a, Var b) { return apply(sub_op, {a, b}); }
Var mul(Var a, Var b) { return apply(mul_op, {a, b}); }
Var div(Var a, Var b) { return apply(div_op, {a, b}); }
Var neg(Var x) { return apply(neg_op, {x}); }
Var square(Var x) { return apply(square_op, {x}); }
Var pow(Var x, double exponent) { return apply(pow_op, {x}, {.ints = {}, .reals = {&exponent, 1}}); }
Var sqrt(Var x) { return apply(sqrt_op, {x}); }
Var abs(Var x) { return apply(abs_op, {x}); }
Var sign(Var x) { return apply(sign_op, {x}); }

const Op& arithmetic_family() { return add_op; }

}  // namespace unroll
