#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>

using namespace unroll;
using namespace unroll::course;

namespace {

// The reader's step as a cell.
struct GatedCell : Module {
  Parameter W_n, U_n, b_n, W_k, U_k, b_k;

  GatedCell() : Module("gated") {
    Generator generator(12);
    const auto weight = [&](const char* name, const Shape& shape) {
      return add(name, normal(shape, 0.7, generator, DType::f64));
    };
    W_n = weight("W_n", {2, 3}), U_n = weight("U_n", {3, 3}), b_n = weight("b_n", {3});
    W_k = weight("W_k", {2, 3}), U_k = weight("U_k", {3, 3}), b_k = weight("b_k", {3});
  }
  HiddenState zero_state(Tape& tape, std::int64_t batch) const {
    return zero_hidden_state(tape, name(), batch, 3, DType::f64);
  }
  std::pair<Var, HiddenState> operator()(Var x, HiddenState before) const {
    Tape& t = x.tape();
    const Scope scope(t, name());
    const auto rule = [](std::span<const Var> in, std::span<const Var> out, std::span<const Var> adjoint) {
      return gated_step_backward(in, out, adjoint[0]);
    };
    const Var h = custom_vjp(gated_step, rule,
                             {x, before.h, t.use(W_n), t.use(U_n), t.use(b_n), t.use(W_k), t.use(U_k), t.use(b_k)})[0];
    return {h, {h}};
  }
};

void check(std::int64_t steps, std::int64_t batch) {
  expect_right(
      gradcheck(GatedCell(), {.steps = steps, .batch = batch, .input = 2}),
      {{Cause::sign, "A sign. By k, h_t changes by h_(t-1) - n, in this order."},
       {Cause::transposed,
        "The shapes fit, because U is square. Which way round goes the matrix on the way back? Write the shapes beside "
        "each product."},
       {Cause::batch_term, "Every sequence of the batch reads the same bias. What becomes of their adjoints?"},
       {Cause::gate_term,
        "A term is missing. In how many places is this value read on the way forward? Its adjoint has one term for "
        "each."},
       {Cause::time_term, "What this step hands back to the step before is missing, or a part of it."},
       {Cause::derivative_factor,
        "The derivative of the activation is missing, or it is that of another value: tanh' is 1 - n^2, sigmoid' is k "
        "(1 - k), with the results."},
       {Cause::wrong_operand, "A product with the wrong value. Which one was it multiplied with on the way forward?"}});
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "12 · Check the gradient of your own cell");

  grading.task("a derivative by central differences", [] {
    const auto cubic = [](double x) { return x * x * x; };
    // 3 x^2 = 12; a one-sided quotient is off by 3 x h and more
    const double got = numeric_derivative(cubic, 2);
    expect_equal(got, 12,
                 {{24, "Twice as much: the points are 2 h apart."},
                  {-12, "The wrong sign: f(x + h) comes first."},
                  {6, "Half of it: divide by 2 h, not by more."}},
                 "The derivative of x^3 at 2 is 12.", 1e-3);
    expect(std::abs(got - 12) < 1e-8 * 12,
           "Near, but not near enough. A one-sided quotient errs with h, a central one with h^2; and below a step of "
           "about 1e-5 the rounding errors take over.");
    const double at_zero = numeric_derivative([](double x) { return std::sin(x); }, 0);
    expect(std::isfinite(at_zero), "At x = 0 the step is 0: a step that is only proportional to x is none there.");
    expect_equal(at_zero, 1, {}, "The derivative of sin at 0 is 1.");
    const double far = numeric_derivative(cubic, 1e6);
    expect(std::abs(far - 3e12) < 1e-7 * 3e12,
           "At x = 1000000 the step is too small for the size of x: its digits get lost in x + h.");
  });

  grading.task("a relative error", [] {
    expect_equal(relative_error(1.1, 1.0), 0.1 / 1.1,
                 {{0.1, "Relative to the larger of both: |1.1|. (Absolute, or over the numeric one, it is 0.1.)"},
                  {-0.1 / 1.1, "An error has no sign: take |a - n|."}},
                 "Between 1.1 and 1.0.");
    expect_equal(relative_error(-2, 2), 2, {{0, "Opposite signs are not equal: |a - n| is 4 here."}},
                 "Between -2 and 2: a wrong sign gives 2.");
    const double zeros = relative_error(0, 0);
    expect(!std::isnan(zeros), "0 over 0: where both are 0 there is no error.");
    expect_equal(zeros, 0, {}, "Between 0 and 0.");
    expect_equal(relative_error(3e-9, 1e-9), 2.0 / 3, {},
                 "Between 3e-9 and 1e-9: tiny, and still wrong by two thirds.");
  });

  grading.task("the backward pass of one step, one sequence", [] { check(1, 1); });
  grading.task("the same for two sequences", [] { check(1, 2); });
  grading.task("the same over four time steps", [] { check(4, 2); });
  return grading.finish();
}
