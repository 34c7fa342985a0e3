#pragma once

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>

#include "../course.hpp"

#include <cmath>
#include <utility>

// The local factors of two activations, given the argument x and the result y: y = tanh(x), y = sigmoid(x).
double derivative_of_tanh(double x, double y);
double derivative_of_sigmoid(double x, double y);

// Forward mode in a few lines: a number and how fast it moves.
struct Dual {
  double value, tangent;
};
Dual multiply(Dual a, Dual b);
Dual tanh_of(Dual a);

// The rule of y = matmul(x, w): from the adjoint g of y to the adjoints of x and w, {dx, dw}.
std::pair<unroll::Var, unroll::Var> matmul_rule(unroll::Var x, unroll::Var w, unroll::Var g);

// softsign(x) = x / (1 + |x|), elementwise, recorded by custom_vjp with a reverse rule of your own.
unroll::Var softsign(unroll::Var x);
