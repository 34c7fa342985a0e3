#include "exercise.hpp"

using namespace unroll;
using unroll::course::hole;

double derivative_of_tanh(double x, double y) {
  (void)x, (void)y;
  return hole("the derivative of tanh, from its result");
}

double derivative_of_sigmoid(double x, double y) {
  (void)x, (void)y;
  return hole("the derivative of sigmoid, from its result");
}

Dual multiply(Dual a, Dual b) {
  (void)a, (void)b;
  return hole("value and tangent of a product");
}

Dual tanh_of(Dual a) {
  (void)a;
  return hole("value and tangent of tanh");
}

std::pair<Var, Var> matmul_rule(Var x, Var w, Var g) {
  (void)x, (void)w, (void)g;  // matmul(a, b) and transpose(a) are all it takes
  return {hole("the adjoint of x, in the shape of x"), hole("the adjoint of w, in the shape of w")};
}

Var softsign(Var x) {
  const auto f = [](Var in) -> Var {
    (void)in;  // abs(in) is |in|
    return hole("softsign itself");
  };
  const auto rule = [](Var in, Var y, Var g) -> Var {
    (void)in, (void)y, (void)g;
    return hole("the adjoint of x, from x, y and the adjoint g of y");
  };
  return custom_vjp(f, rule, x);
}
