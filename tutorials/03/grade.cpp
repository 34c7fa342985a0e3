#include "../grading.hpp"
#include "exercise.hpp"

#include <unroll/core/array/random.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/initializers.hpp>

#include <cmath>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

// e^-x / (1 + e^-x)^2 and 1 / cosh(x)^2: written in x, as no solution has to be.
double slope_of_sigmoid(double x) { return std::exp(-x) / std::pow(1 + std::exp(-x), 2); }
double slope_of_tanh(double x) { return 1 / std::pow(std::cosh(x), 2); }
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

void expect_tanh(double x) {
  const double y = std::tanh(x);
  expect_equal(
      derivative_of_tanh(x, y), slope_of_tanh(x),
      {{1 - x * x, "This is 1 - x^2: the formula wants the result y in place of the argument x."},
       {y, "This is tanh itself."},
       {1 - y, "Not 1 - y: at x = 0 that is right, at x = -2 it gives nearly 2, and tanh is nowhere steeper than 1."},
       {y * (1 - y), "y (1 - y) belongs to sigmoid. At 0 it gives 0, and there tanh is steepest."},
       {y * y - 1, "The sign: tanh only ever rises."}},
      fmt::format("tanh at x = {}: write tanh = sinh / cosh, differentiate, and replace what you can by y.", x));
}

void expect_sigmoid(double x) {
  const double y = sigmoid_of(x);
  expect_equal(derivative_of_sigmoid(x, y), slope_of_sigmoid(x),
               {{x * (1 - x), "This is x (1 - x): the formula wants the result y in place of the argument x."},
                {1 - y * y, "1 - y^2 belongs to tanh. sigmoid is nowhere steeper than 1/4."},
                {y, "This is sigmoid itself."},
                {1 - y, "One factor is missing: far to the left 1 - y goes to 1, but sigmoid is flat there."},
                {y * y - y, "The sign: sigmoid only ever rises."}},
               fmt::format("sigmoid at x = {}: y = 1 / (1 + e^-x). Differentiate, and look for y and 1 - y in it.", x));
}

void expect_product(Dual a, Dual b, double value, double tangent) {
  const Dual got = multiply(a, b);
  expect_equal(got.value, value, {}, "The value of a product is the product of the values.");
  expect_equal(
      got.tangent, tangent,
      {{a.tangent * b.tangent, "The tangents are multiplied here. When only a moves, the product still moves."},
       {a.tangent * a.value + b.tangent * b.value,
        "Each tangent meets its own value. When a moves by 1, a b moves by b."},
       {a.tangent * b.value, "Only a moves here: where is the part that b moves?"},
       {a.value * b.tangent, "Only b moves here: where is the part that a moves?"},
       {a.tangent + b.tangent, "This is the rule of a sum."}},
      "(a b)' is a' b + a b'.");
}

void expect_rule(const Shape& of_x, const Shape& of_w, const std::string& otherwise) {
  Generator generator(7);
  Tape tape;
  const Var x = tape.input(normal(of_x, 1, generator, DType::f64), "x"),
            w = tape.input(normal(of_w, 1, generator, DType::f64), "w");
  const Var y = matmul(x, w);
  const Array u = normal(y.shape(), 1, generator, DType::f64);
  const Gradients right = backward(y, {.cotangent = u});
  const Var g = tape.constant(u, "g");
  const std::string shapes =
      fmt::format("x has {}, w has {}, g has {}.", to_string(of_x), to_string(of_w), to_string(y.shape()));
  const auto [dx, dw] = [&] {
    try {
      return matmul_rule(x, w, g);
    } catch (const ShapeError& error) {
      throw Hint(fmt::format("A product of shapes that do not fit. {} Which order, and which transpose, gives {}?\n{}",
                             shapes, to_string(of_x), error.what()));
    }
  }();
  const bool square = of_x == of_w;
  std::vector<ArrayMistake> of_dx, of_dw;
  if (square) {
    of_dx = {{matmul(g, w).value().copy(),
              "dx is g w here. The shapes do not tell, because all are equal: w has to be transposed."},
             {matmul(w, g).value().copy(), "dx is w g here: g comes first, and w transposed."},
             {matmul(transpose(w), g).value().copy(),
              "dx is w^T g here: g comes first. The order is that of the shapes (2, 4) (4, 3)."},
             {right[w].copy(), "This is dw: the pair is {dx, dw}."}};
    of_dw = {{matmul(x, g).value().copy(),
              "dw is x g here. The shapes do not tell, because all are equal: x has to be transposed."},
             {matmul(g, transpose(x)).value().copy(), "dw is g x^T here: x^T comes first."},
             {matmul(transpose(g), x).value().copy(), "This is the transpose of dw: g^T x."}};
  }
  expect(!(dx.shape() == of_w && dw.shape() == of_x && !square), "The two are exchanged: the pair is {dx, dw}.");
  expect(dw.shape() != Shape({of_w[1], of_w[0]}) || square,
         "This is the transpose of dw: an adjoint has the shape of what it belongs to.");
  expect_shape("dx", dx.value(), of_x, "An adjoint has the shape of what it belongs to. " + shapes);
  expect_shape("dw", dw.value(), of_w, "An adjoint has the shape of what it belongs to. " + shapes);
  expect_equal("dx", dx.value(), right[x].copy(), of_dx, otherwise);
  expect_equal("dw", dw.value(), right[w].copy(), of_dw, otherwise);
}

const Array cotangent({5}, {1, -2, 3, 0.5, 4});

// Adjoints of x as wrong rules of softsign give them, from x, y and the adjoint g of y. What is not here is for the gradient check to explain.
void expect_no_known_fault(const Array& at, const ArrayView& got) {
  struct Fault {
    double (*adjoint)(double x, double y, double g);
    const char* hint;
  };
  const Fault faults[] = {
      {[](double x, double, double) { return 1 / std::pow(1 + std::abs(x), 2); },
       "This is the local factor alone. Where is g, the adjoint of y? A rule multiplies what comes back by the local "
       "factor."},
      {[](double, double, double g) { return g; }, "g goes through unchanged: this is the rule of a sum."},
      {[](double, double y, double g) { return g * (1 - y * y); }, "1 - y^2 belongs to tanh."},
      {[](double, double y, double g) { return g / std::pow(1 + std::abs(y), 2); },
       "1 / (1 + |x|)^2 wants the argument x; this has the result y in it. (With y, how does 1 - |y| look?)"},
      {[](double x, double, double g) { return g * std::pow(1 - std::abs(x), 2); },
       "(1 - |y|)^2 wants the result y; this has the argument x in it."},
      {[](double, double y, double g) { return g * std::pow(1 - y, 2); },
       "Right for positive x and wrong for negative: where does |.| belong?"},
      {[](double x, double, double g) { return g * (x < 0 ? -1 : 1) / std::pow(1 + std::abs(x), 2); },
       "The sign is wrong for negative x: softsign rises on both sides of 0."},
  };
  for (const Fault& fault : faults) {
    bool same = true;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double x = at.flat(i), y = x / (1 + std::abs(x));
      same = same && std::abs(got.flat(i) - fault.adjoint(x, y, cotangent.flat(i))) < 1e-9;
    }
    expect(!same, fault.hint);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "3 · One rule for each operation");

  grading.task("derivative_of_tanh and derivative_of_sigmoid", [] {
    for (const double x : {0.7, -2.0, 0.0}) expect_tanh(x);
    for (const double x : {0.7, -2.0, 0.0}) expect_sigmoid(x);
  });

  grading.task("multiply and tanh_of: forward mode with dual numbers", [] {
    expect_product({2, 0.5}, {-4, 3}, -8, 4);
    expect_product({3, 1}, {3, 1}, 9, 6);
    const double slope = slope_of_tanh(0.7);
    const Dual y = tanh_of({0.7, 2});
    expect_equal(y.value, std::tanh(0.7), {}, "The value is tanh of the value.");
    expect_equal(y.tangent, 2 * slope,
                 {{slope, "This is the local factor. It multiplies the tangent that came in, which is 2 here."},
                  {std::tanh(2.0), "Not tanh of the tangent: the tangent is multiplied by the local factor."},
                  {2 * (1 - 0.7 * 0.7), "1 - x^2: the formula wants the result."},
                  {2 + slope, "The local factor multiplies the tangent; here it is added."}},
                 "The tangent that comes out is the tangent that came in times the local factor.");
  });

  grading.task("matmul_rule: the adjoints of a matrix product", [] {
    expect_rule({2, 3}, {3, 4}, "The shapes are right, the numbers are not.");
    expect_rule({3, 3}, {3, 3}, "Right for other shapes and wrong for square ones.");
  });

  grading.task("softsign: an operation with a rule of your own", [] {
    const Array at({5}, {-2, -0.3, 0.2, 0.5, 3});
    Tape tape;
    const Var x = tape.input(at, "x"), y = softsign(x);
    expect_equal(
        "softsign(x)", y.value(), Array({5}, {-2.0 / 3, -3.0 / 13, 1.0 / 6, 1.0 / 3, 0.75}),
        {{Array({5}, {2, -3.0 / 7, 0.25, 1, -1.5}), "1 - |x| below, where 1 + |x| belongs: this has a pole at 1."},
         {Array({5}, {2, -3.0 / 7, 1.0 / 6, 1.0 / 3, 0.75}),
          "1 + x below: right for positive x alone. It is 1 + |x|."}},
        "x / (1 + |x|), at x = -2, -0.3, 0.2, 0.5, 3.");
    bool has_own_rule = false;
    for (NodeId id = 0; id < tape.size(); ++id) has_own_rule = has_own_rule || custom_part(tape, id) != nullptr;
    expect(has_own_rule,
           "The value is right, and the rule is that of the operations inside. Record it by custom_vjp(f, rule, x).");
    expect_no_known_fault(at, backward(y, {.cotangent = cotangent})[x]);
    expect_right(gradcheck([](std::span<const Var> v) { return softsign(v[0]); }, {at}),
                 {{Cause::sign, "The sign: softsign only ever rises."},
                  {Cause::factor, "Right but for a constant factor: at x = 0 softsign has slope 1."},
                  {Cause::gate_term,
                   "x stands above the line and below it, in |x|. One of the two is missing: differentiate x / (1 + x) "
                   "as a quotient, for positive x first."}});
  });

  return grading.finish();
}
