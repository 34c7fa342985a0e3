#include "exercise.hpp"

using namespace unroll;

double derivative_of_tanh(double, double y) { return 1 - y * y; }

double derivative_of_sigmoid(double, double y) { return y * (1 - y); }

Dual multiply(Dual a, Dual b) { return {a.value * b.value, a.tangent * b.value + a.value * b.tangent}; }

Dual tanh_of(Dual a) {
  const double y = std::tanh(a.value);
  return {y, a.tangent * derivative_of_tanh(a.value, y)};
}

std::pair<Var, Var> matmul_rule(Var x, Var w, Var g) { return {matmul(g, transpose(w)), matmul(transpose(x), g)}; }

Var softsign(Var x) {
  const auto f = [](Var in) { return in / (1 + abs(in)); };
  const auto rule = [](Var, Var y, Var g) { return g * square(1 - abs(y)); };
  return custom_vjp(f, rule, x);
}
