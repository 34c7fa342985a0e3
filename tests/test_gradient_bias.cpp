#include "layers_support.hpp"

#include <unroll/core/check/gradient_bias.hpp>

#include <cmath>
#include <limits>

namespace unroll::test {

namespace {

// The gradient of sum(w * a) by w is a.
struct Two {
  Parameter w{"cell.w", Array({3}, DType::f64)}, v{"cell.v", Array({2}, DType::f64)};

  Gradients gradients(const Array& by_w, const Array* by_v) const {
    Tape tape;
    Var loss = sum(tape.use(w) * tape.constant(by_w));
    if (by_v) loss = loss + sum(tape.use(v) * tape.constant(*by_v));
    return backward(loss);
  }
};

}  // namespace

TEST_CASE("gradient bias: error, cosine and norms of each parameter and of all") {
  const Two two;
  const Array v({2}, {3, 4});
  const Gradients exact = two.gradients(Array({3}, {1, 2, 2}), &v), cut = two.gradients(Array({3}, {2, 2, 1}), nullptr);
  const GradientBias bias = gradient_bias(cut, exact, std::vector{two.w, two.v});
  REQUIRE(bias.parameters.size() == 2);
  const GradientDistance &w = bias.parameters[0], &missing = bias.parameters[1];
  CHECK(w.name == "cell.w");
  CHECK(w.relative_error == doctest::Approx(std::sqrt(2.0) / 3));
  CHECK(w.cosine == doctest::Approx(8.0 / 9));
  CHECK(w.exact_norm == 3);
  CHECK(w.approximate_norm == 3);
  CHECK(missing.relative_error == 1);  // all of it is missing
  CHECK(missing.approximate_norm == 0);
  CHECK(missing.exact_norm == 5);
  CHECK(std::isnan(missing.cosine));
  CHECK(bias.all.relative_error == doctest::Approx(std::sqrt(27.0 / 34)));
  CHECK(bias.all.cosine == doctest::Approx(8 / (3 * std::sqrt(34.0))));
  CHECK(to_string(bias) ==
        "parameter  relative error     cosine        |g~|         |g|\n"
        "cell.w              0.471   0.888889           3           3\n"
        "cell.v                  1          -           0           5\n"
        "all                 0.891   0.457330           3       5.831\n");
}

TEST_CASE("gradient bias: zero gradients agree with each other and with nothing else") {
  const Two two;
  const Gradients zero = two.gradients(Array({3}, {0, 0, 0}), nullptr),
                  one = two.gradients(Array({3}, {0, 1, 0}), nullptr);
  CHECK(gradient_bias(zero, zero, std::vector{two.w}).all.relative_error == 0);
  CHECK(gradient_bias(one, zero, std::vector{two.w}).all.relative_error == std::numeric_limits<double>::infinity());
  CHECK(gradient_bias(one, one, std::vector{two.w}).all.cosine == 1);
}

TEST_CASE("gradient bias: what cannot be compared is refused") {
  const Two two;
  const Gradients g = two.gradients(Array({3}, {1, 2, 2}), nullptr);
  CHECK_THROWS_WITH_AS(gradient_bias(g, g, {}), "gradient_bias: no parameters were given", Error);
  CHECK_THROWS_WITH_AS(gradient_bias(g, g, std::vector{two.v}),
                       "no gradient was computed for parameter cell.v: the loss does not depend on it", GradientError);
}

}  // namespace unroll::test
