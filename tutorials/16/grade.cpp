#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

// What the library refuses, with a word on what is behind it.
template <class Work> auto explained(const Work& work) {
  try {
    return work();
  } catch (const GradientError& error) {
    const std::string said = fmt::format("\nThe library says: {}", error.what());
    if (std::string(error.what()).find("create_graph") != std::string::npos)
      throw Hint("The gradient is an array of numbers, not a node: the first backward pass was not recorded." + said);
    throw Hint(
        "You differentiate something that does not depend on x. Was the gradient copied, or detached, on its way? Then "
        "only its numbers are left: take "
        "the node, .var(X)." +
        said);
  }
}

Var quartic(Var x) { return square(square(x)); }

// x_0^2 x_1 + x_1^3 + x_0 x_2. At (1, 2, 3): gradient (7, 13, 1), Hessian [[4, 2, 1], [2, 12, 0], [1, 0, 0]].
Var mixed(Var x) {
  const Var a = select(x, 0, 0), b = select(x, 0, 1), c = select(x, 0, 2);
  return square(a) * b + b * b * b + a * c;
}

// 2 a^2 + a b + b^2 - 7 a. Hessian [[4, 1], [1, 2]], lowest at (2, -1).
Var bowl(Var x) {
  const Var a = select(x, 0, 0), b = select(x, 0, 1);
  return 2.0 * square(a) + a * b + square(b) - 7.0 * a;
}

// Not quadratic.
Var valley(Var x) {
  const Var a = select(x, 0, 0), b = select(x, 0, 1);
  return exp(a) + exp(b) + square(a + b) - 2.0 * b;
}

Array gradient_of(const Function& f, const Array& x) {
  Tape tape;
  const Var X = tape.input(x);
  return backward(f(X))[X].copy();
}

// Differences of first gradients along v: no second derivative of the library has a part in it.
Array difference_of_gradients(const Function& f, const Array& x, const Array& v) {
  const double h = 1e-5;
  const auto moved = [&](double step) {
    Array there = x.copy();
    for (std::size_t i = 0; i < x.size(); ++i) there.set_flat(i, x.flat(i) + step * v.flat(i));
    return gradient_of(f, there);
  };
  const Array plus = moved(h), minus = moved(-h);
  Array result = x.copy();
  for (std::size_t i = 0; i < x.size(); ++i) result.set_flat(i, (plus.flat(i) - minus.flat(i)) / (2 * h));
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "16 · Second derivatives, and the backward pass as a graph");

  grading.task("the second derivative", [] {
    explained([] {
      expect_equal(
          second_derivative(quartic, 2), 48,
          {{32, "This is the first derivative, 4 x^3. Go back once more, from its node."},
           {16, "This is the function itself."},
           {1024, "This is the square of the first derivative. The second derivative is the derivative of the first."},
           {0, "It is 0: the gradient was cut off on its way. A copy of its numbers does not depend on x."}},
          "x^4 at x = 2: the first derivative is 4 x^3, the second 12 x^2.");
      expect_equal(second_derivative([](Var x) { return tanh(x); }, 0.5), -0.7268619814, {}, "tanh at 0.5 bends down.");
    });
  });

  grading.task("the Hessian times a vector", [] {
    explained([] {
      const Array x({3}, {1, 2, 3}), v({3}, {1, -1, 2});
      expect_equal(
          "H v", hessian_vector(mixed, x, v), Array({3}, {4, -10, 1}),
          {{Array({3}, {7, 14, 1}),
            "v is not used: this is H times (1, 1, 1), the gradient of the sum of g. Multiply by v before the sum."},
           {Array({3}, {7, -14, 2}),
            "v comes too late: this is H (1, 1, 1), then multiplied by v element by element. v belongs inside, in g . "
            "v."},
           {Array({3}, {7, 13, 1}), "This is the gradient. Go back a second time, from the number g . v."},
           {Array({3}, {7, -13, 2}),
            "This is the gradient times v, element by element. Sum it to a number, and go back from there."}},
          "f = x_0^2 x_1 + x_1^3 + x_0 x_2 at (1, 2, 3), v = (1, -1, 2).");
      const Array at({2}, {0.3, -0.4}), along({2}, {2, 1});
      expect_equal("H v", hessian_vector(valley, at, along), difference_of_gradients(valley, at, along), {},
                   "Differences of the gradient along v come out otherwise.", 1e-5);
    });
  });

  grading.task("Newton's step", [] {
    explained([] {
      expect_equal("the next x", newton_step(bowl, Array({2}, {0, 0})), Array({2}, {2, -1}),
                   {{Array({2}, {-2, 1}), "The step goes uphill: x minus the solution of H s = g."},
                    {Array({2}, {-2, -1}), "The step goes uphill: x minus the solution of H s = g."},
                    {Array({2}, {7, 0}), "This is a step of gradient descent: the Hessian is not used."},
                    {Array({2}, {1.75, 0}), "Only the diagonal of H is used: b and c are not 0."},
                    {Array({2}, {28, 7}),
                     "This is x - H g. The step is the solution of H s = g: H is to be undone, not applied."}},
                   "2 a^2 + a b + b^2 - 7 a from (0, 0): g = (-7, 0), H = [[4, 1], [1, 2]].");
      // from another place, where x matters
      expect_equal("the next x", newton_step(bowl, Array({2}, {3, 4})), Array({2}, {2, -1}),
                   {{Array({2}, {-1, -5}), "This is the step alone: it begins at x."}},
                   "A quadratic function has its lowest point after one step, from wherever.");
      Array x({2}, {1, 0.5});
      for (int step = 0; step < 6; ++step) x = newton_step(valley, x);
      expect(norm(gradient_of(valley, x)) < 1e-10,
             "On a function that is not quadratic, six steps should leave no gradient.");
    });
  });

  grading.task("the gradient of a gradient's norm", [] {
    explained([] {
      const double size = std::sqrt(13.0);
      expect_equal(
          "the gradient of |g|^2", penalty_gradient(bowl, Array({2}, {1, 1})), Array({2}, {-10, 8}),
          {{Array({2}, {-5, 4}), "This is H g: the factor 2 is missing. The derivative of g^2 is 2 g times that of g."},
           {Array({2}, {-5 / size, 4 / size}), "This is the gradient of |g|. The penalty is its square."},
           {Array({2}, {-2, 3}), "This is g itself. The penalty is a number made of it: go back from there."},
           {Array({2}, {5, 3}), "This is the gradient of the sum of g: the square is missing."},
           {Array({2}, {0, 0}),
            "It is 0: the gradient was cut off on its way. A copy of its numbers does not depend on x."}},
          "2 a^2 + a b + b^2 - 7 a at (1, 1): g = (-2, 3), H = [[4, 1], [1, 2]].");
      const Array at({2}, {0.3, -0.4});
      const Array half = difference_of_gradients(valley, at, gradient_of(valley, at));
      expect_equal("the gradient of |g|^2", penalty_gradient(valley, at),
                   Array({2}, {2 * half.flat(0), 2 * half.flat(1)}), {}, "Differences come out otherwise: it is 2 H g.",
                   1e-5);
    });
  });
  return grading.finish();
}
