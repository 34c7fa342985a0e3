#include "support.hpp"

#include <unroll/core/kernels/math.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

// The functions that the kernels do not take from the standard library, against the standard library in long double.

namespace unroll::test {

namespace {

template <class T> constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T> constexpr T nan = std::numeric_limits<T>::quiet_NaN();

// The distance to the exact value in units of its last place; below the smallest normal number, in units of the last
// place there.
template <class T> double ulps(T found, long double exact) {
  const int exponent = std::max(std::ilogb(exact), std::numeric_limits<T>::min_exponent - 1);
  const long double unit = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits + 1);
  return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / unit);
}

// Arguments of either sign, dense over the range and around 0, and very small ones.
template <class T> std::vector<T> arguments(T low, T high) {
  std::vector<T> result;
  const auto add = [&](double x) {
    if (static_cast<T>(x) >= low && static_cast<T>(x) <= high && x != 0) result.push_back(static_cast<T>(x));
  };
  constexpr int steps = 50'000;
  for (int i = 0; i <= steps; ++i) add(low + (static_cast<double>(high) - low) * i / steps);
  for (int i = 0; i <= steps; ++i) add(-2 + 4.0 * i / steps);
  for (int e = -60; e < 7; ++e)
    for (const double m : {1.0, 1.2345678, 1.75})
      for (const double sign : {-1.0, 1.0}) add(sign * std::ldexp(m, e));
  return result;
}

constexpr double bound = 4;

// Holds a function to the bound, both as it is and in the vectorised loop of its operation.
template <class T> struct Accuracy {
  const char* name;
  T low, high;
  T (*function)(T);
  Var (*operation)(Var);
  long double (*exact)(long double);

  void check() const {
    const std::vector<T> x = arguments(low, high);
    Tape tape;
    const Var y = operation(tape.input(Array({static_cast<std::int64_t>(x.size())}, std::span<const T>(x))));
    double worst = 0, worst_at = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      for (const T found : {function(x[i]), y.value().span<T>()[i]}) {
        const double error = std::isnan(found) ? infinity<double> : ulps(found, exact(x[i]));
        if (error > worst) {
          worst = error;
          worst_at = x[i];
        }
      }
    INFO(name, " of ", worst_at, " is off by ", worst, " units");
    CHECK(worst <= bound);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("exp, expm1, tanh and sigmoid are within 4 units in the last place", T, float, double) {
  // Where exp is a normal number. Below, it is cut off to 0 (see the next case).
  const T low = std::is_same_v<T, float> ? T(-86.4) : T(-707.4), high = std::is_same_v<T, float> ? T(88.7) : T(709.7);
  const auto sigmoid_of = [](long double x) { return 1 / (1 + std::exp(-x)); };
  Accuracy<T>{"exp", low, high, math::exp, exp, [](long double x) { return std::exp(x); }}.check();
  Accuracy<T>{"expm1", -50, high, math::expm1, expm1, [](long double x) { return std::expm1(x); }}.check();
  Accuracy<T>{"tanh", -30, 30, math::tanh, tanh, [](long double x) { return std::tanh(x); }}.check();
  Accuracy<T>{"sigmoid", low, 60, math::sigmoid, sigmoid, sigmoid_of}.check();
}

TEST_CASE_TEMPLATE("exp, expm1, tanh and sigmoid have their limits and exact values", T, float, double) {
  const T inf = infinity<T>, tiny = std::numeric_limits<T>::min(), edge = std::log(std::numeric_limits<T>::max());
  for (const T zero : {T(0), -T(0)}) {
    CHECK(math::exp(zero) == 1);
    CHECK(math::expm1(zero) == 0);
    CHECK(math::tanh(zero) == 0);
    CHECK(math::sigmoid(zero) == T(0.5));
  }
  CHECK(math::exp(inf) == inf);
  CHECK(math::exp(-inf) == 0);
  CHECK(math::exp(edge * T(1.001)) == inf);
  CHECK(std::isfinite(math::exp(edge * T(0.9999))));
  CHECK(math::exp(-edge * T(1.2)) == 0);
  CHECK(math::expm1(inf) == inf);
  CHECK(math::expm1(-inf) == -1);
  CHECK(math::expm1(T(-1000)) == -1);
  CHECK(math::tanh(inf) == 1);
  CHECK(math::tanh(-inf) == -1);
  CHECK(math::tanh(T(1000)) == 1);
  CHECK(math::tanh(T(-1000)) == -1);
  CHECK(math::sigmoid(inf) == 1);
  CHECK(math::sigmoid(T(1000)) == 1);
  CHECK(math::sigmoid(-inf) >= 0);  // at most a subnormal number away from its limit
  CHECK(math::sigmoid(-inf) < tiny);
  CHECK(math::sigmoid(T(-1000)) < tiny);
}

TEST_CASE_TEMPLATE("tanh is odd and sigmoid(-x) = 1 - sigmoid(x)", T, float, double) {
  constexpr T epsilon = std::numeric_limits<T>::epsilon();
  for (T x = 0; x < 12; x += T(0.0937)) {
    CAPTURE(x);
    CHECK(std::abs(math::tanh(-x) + math::tanh(x)) <= epsilon);
    CHECK(std::abs(math::sigmoid(-x) + math::sigmoid(x) - 1) <= epsilon);
  }
}

TEST_CASE_TEMPLATE("softplus neither overflows nor loses small results", T, float, double) {
  CHECK(math::softplus(T(1000)) == 1000);
  CHECK(math::softplus(infinity<T>) == infinity<T>);
  CHECK(math::softplus(-infinity<T>) == 0);
  CHECK(ulps(math::softplus(T(0)), std::log(2.0L)) <= bound);
  CHECK(ulps(math::softplus(T(-30)), std::log1p(std::exp(-30.0L))) <= bound);
}

TEST_CASE_TEMPLATE("every elementary function passes NaN through", T, float, double) {
  using F = T (*)(T);
  for (const F f : {F(math::exp), F(math::expm1), F(math::tanh), F(math::sigmoid), F(math::softplus), F(math::relu),
                    F(math::sign), F(math::abs), F(math::square), F(math::sqrt), F(math::log), F(math::log1p),
                    F(math::sin), F(math::cos), F(math::erf)})
    CHECK(std::isnan(f(nan<T>)));
  CHECK(std::isnan(math::maximum(nan<T>, T(1))));
  CHECK(std::isnan(math::maximum(T(1), nan<T>)));
  CHECK(std::isnan(math::minimum(nan<T>, T(1))));
  CHECK(std::isnan(math::minimum(T(1), nan<T>)));
  CHECK(std::isnan(math::clip(nan<T>, -1, 1)));
  CHECK(std::isnan(math::pow(nan<T>, 2)));
}

TEST_CASE("NaN passes through the vectorised loops, whatever its place, and touches no neighbour") {
  // 37 elements: whole vector registers and a rest.
  constexpr std::size_t n = 37;
  for (const DType dtype : {DType::f32, DType::f64})
    for (std::size_t place = 0; place < n; ++place) {
      CAPTURE(place);
      Array x = Array::filled({n}, 0.5, dtype);
      x.set_flat(place, nan<double>);
      Tape tape;
      const Var a = tape.input(x), b = tape.input(Array::filled({n}, 0.25, dtype));
      for (const Var y : {exp(a), expm1(a), tanh(a), sigmoid(a), relu(a), sign(a), softplus(a), clip(a, -1, 1),
                          maximum(a, b), maximum(b, a), minimum(a, b), minimum(b, a)}) {
        INFO("node ", y.id());
        for (std::size_t i = 0; i < n; ++i) CHECK(std::isnan(y.value().flat(i)) == (i == place));
      }
      CHECK(std::isnan(max(a).item()));
      CHECK(std::isnan(sum(a).item()));
      CHECK(std::isnan(logsumexp(a).item()));
    }
}

TEST_CASE("relu, sign, maximum, minimum, clip and where at their edges") {
  CHECK(math::relu(-infinity<double>) == 0);
  CHECK(math::relu(infinity<double>) == infinity<double>);
  CHECK(math::sign(-0.0) == 0);
  CHECK(math::sign(-infinity<float>) == -1);
  CHECK(math::maximum(-infinity<double>, 3.0) == 3);
  CHECK(math::minimum(-infinity<double>, 3.0) == -infinity<double>);
  CHECK(math::clip(infinity<double>, -1, 2) == 2);
  CHECK(math::clip(-infinity<double>, -1, 2) == -1);
  CHECK(math::clip(2.0, -1, 2) == 2);
  CHECK(math::where(-0.5, 1.0, 2.0) == 1);
  CHECK(math::where(-0.0, 1.0, 2.0) == 2);
}

}  // namespace unroll::test
