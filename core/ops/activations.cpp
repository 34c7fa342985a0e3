#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/pointwise.hpp>

namespace unroll {

namespace {

const Op& tanh_op = define_unary(
    {"tanh", [] { return unary_samples(tanh, -2, 2); }},  //
    [](auto x) { return tanh(x); },                       //
    [](auto, auto y) { return 1 - y * y; });

const Op& sigmoid_op = define_unary(
    {"sigmoid", [] { return unary_samples(sigmoid, -3, 3); }},  //
    [](auto x) { return sigmoid(x); },                          //
    [](auto, auto y) { return y * (1 - y); });

const Op& relu_op = define_unary(
    {"relu", [] { return unary_samples(relu, -2, 2.1); }},  //
    [](auto x) { return relu(x); },                         //
    [](auto, auto y) { return sign(y); });

const Op& softplus_op = define_unary(
    {"softplus", [] { return unary_samples(softplus, -3, 3); }},  //
    [](auto x) { return softplus(x); },                           //
    [](auto x, auto) { return sigmoid(x); });

}  // namespace

Var tanh(Var x) { return apply(tanh_op, {x}); }
Var sigmoid(Var x) { return apply(sigmoid_op, {x}); }
Var relu(Var x) { return apply(relu_op, {x}); }
Var softplus(Var x) { return apply(softplus_op, {x}); }

const Op& activations_family() { return tanh_op; }

}  // namespace unroll
