#include "layers_support.hpp"

#include <unroll/core/grad/jvp.hpp>

#include <cmath>

// Derivatives of derivatives: backward over a recorded backward pass, and forward over it.

namespace unroll::test {

namespace {

// The n-th derivative of f at x, by n recorded backward passes on one tape.
double derivative(Var (*f)(Var), double x, int n) {
  Tape tape;
  const Var at = tape.input(Array::scalar(x));
  Var y = f(at);
  for (int i = 0; i < n; ++i) y = backward(y, {.create_graph = true}).var(at);
  return y.item();
}

Var cube(Var x) { return pow(x, 3); }
Var cube_by_products(Var x) { return x * x * x; }
Var reciprocal(Var x) { return 1.0 / x; }

// A loss of a layer over time, and one direction for each of its parameters.
template <class Layer> struct Loss {
  Loss(Tape& tape, const Layer& layer, std::uint64_t seed) : parameters(layer.parameters()) {
    Generator generator(5);
    const auto sequence = over_time(layer, tape.constant(random_array({3, 2, 2}, generator)));
    value = sum(square(sequence.stacked())) + sum(sequence.state.h);
    Generator directions(seed);
    for (const Parameter& p : parameters) direction.push_back(random_array(p.shape(), directions));
  }
  // <gradient, direction>, which is differentiable where the gradients were recorded.
  Var along(const Gradients& gradients) const {
    Tape& tape = value.tape();
    Var total = tape.scalar(0, DType::f64);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      total = total + sum(gradients.var(tape.use(parameters[i])) * tape.constant(direction[i]));
    return total;
  }
  std::vector<Tangent> tangents() const {
    std::vector<Tangent> result;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      result.push_back({value.tape().use(parameters[i]), direction[i]});
    return result;
  }

  Var value;
  std::vector<Parameter> parameters;
  std::vector<Array> direction;
};

// H v, by backward over a recorded backward pass.
template <class Layer> std::vector<Array> hessian_times(const Layer& layer, std::uint64_t direction_seed) {
  Tape tape;
  const Loss<Layer> loss(tape, layer, direction_seed);
  const Gradients first = backward(loss.value, {.create_graph = true});
  const Gradients second = backward(loss.along(first));
  std::vector<Array> result;
  for (const Parameter& p : loss.parameters) result.push_back(second[p].copy());
  return result;
}

template <class Layer> std::vector<Array> directions(const Layer& layer, std::uint64_t seed) {
  Tape tape;
  return Loss<Layer>(tape, layer, seed).direction;
}

double dot_all(const std::vector<Array>& a, const std::vector<Array>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += dot(a[i], b[i]);
  return total;
}

}  // namespace

TEST_CASE("repeated backward gives the derivatives of functions whose derivatives are known") {
  const double x = 1.25, tolerance = 1e-13;
  for (const auto f : {cube, cube_by_products}) {
    CHECK(derivative(f, x, 1) == doctest::Approx(3 * x * x).epsilon(tolerance));
    CHECK(derivative(f, x, 2) == doctest::Approx(6 * x).epsilon(tolerance));
    CHECK(derivative(f, x, 3) == doctest::Approx(6).epsilon(tolerance));
  }
  for (int n = 1; n <= 4; ++n) {
    INFO("derivative ", n);
    CHECK(derivative(exp, x, n) == doctest::Approx(std::exp(x)).epsilon(tolerance));
    const double sines[] = {std::sin(x), std::cos(x), -std::sin(x), -std::cos(x)};
    CHECK(derivative(sin, x, n) == doctest::Approx(sines[n % 4]).epsilon(tolerance));
    const double factorial[] = {1, 1, 2, 6, 24};
    CHECK(derivative(reciprocal, x, n) ==
          doctest::Approx((n % 2 ? -1 : 1) * factorial[n] / std::pow(x, n + 1)).epsilon(tolerance));
    CHECK(derivative(log, x, n) ==
          doctest::Approx((n % 2 ? 1 : -1) * factorial[n - 1] / std::pow(x, n)).epsilon(tolerance));
  }
}

TEST_CASE("the second derivatives of tanh and sigmoid at 0 vanish, and the third are -2 and -1/8") {
  CHECK(derivative(tanh, 0, 1) == 1);
  CHECK(derivative(tanh, 0, 2) == 0);
  CHECK(derivative(tanh, 0, 3) == doctest::Approx(-2));
  CHECK(derivative(sigmoid, 0, 1) == 0.25);
  CHECK(derivative(sigmoid, 0, 2) == 0);
  CHECK(derivative(sigmoid, 0, 3) == doctest::Approx(-0.125));
}

TEST_CASE("the Hessian of a quadratic form is its matrix and its transpose added") {
  Tape tape;
  const Array A({3, 3}, {1, 2, 0, -4, 5, 6, 7, 0, 3});
  const Var x = tape.input(Array({3, 1}, {1, -2, 0.5}));
  const Var y = sum(x * matmul(tape.constant(A), x));
  const Var gradient = backward(y, {.create_graph = true}).var(x);
  for (std::int64_t j = 0; j < 3; ++j) {
    const Array column = backward(slice(gradient, 0, j, j + 1))[x].copy();
    for (std::int64_t i = 0; i < 3; ++i) CHECK(column.at({i, 0}) == A.at({i, j}) + A.at({j, i}));
  }
}

TEST_CASE("a recorded gradient equals the unrecorded one") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Tape tape;
    const Loss loss(tape, layer, 1);
    const Gradients recorded = backward(loss.value, {.create_graph = true}), plain = backward(loss.value);
    for (const Parameter& p : loss.parameters) CHECK(close(recorded[p], plain[p], 1e-14, 1e-13));
  });
}

TEST_CASE("a Hessian-vector product is the same by backward over backward and by forward over backward") {
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    const auto check = [](const auto& layer) {
      const std::vector<Array> by_backward = hessian_times(layer, 1);
      Tape tape;
      const Loss loss(tape, layer, 1);
      const Gradients first = backward(loss.value, {.create_graph = true});
      for (std::size_t i = 0; i < loss.parameters.size(); ++i) {
        INFO("parameter ", loss.parameters[i].name());
        const Var by_forward = jvp(first.var(tape.use(loss.parameters[i])), loss.tangents());
        CHECK(close(by_forward.value(), by_backward[i], 1e-12, 1e-11));
      }
    };
    check(packed);
    check(textbook);
  });
}

TEST_CASE("a Hessian-vector product is the change of the gradient along the vector") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    const std::vector<Array> product = hessian_times(layer, 1), direction = directions(layer, 1);
    const auto gradient_at = [&](double offset) {
      std::vector<Array> result, before;
      for (std::size_t i = 0; i < direction.size(); ++i) {
        Parameter p = layer.parameters()[i];
        before.push_back(p.value().copy());
        for (std::size_t e = 0; e < p.size(); ++e)
          p.mutable_value().set_flat(e, before[i].flat(e) + offset * direction[i].flat(e));
      }
      Tape tape;
      const Loss loss(tape, layer, 1);
      const Gradients gradients = backward(loss.value);
      for (const Parameter& p : loss.parameters) result.push_back(gradients[p].copy());
      for (std::size_t i = 0; i < before.size(); ++i) Parameter(layer.parameters()[i]).assign(before[i]);
      return result;
    };
    const double h = 1e-5;
    const std::vector<Array> above = gradient_at(h), below = gradient_at(-h);
    for (std::size_t i = 0; i < product.size(); ++i) {
      Array difference = above[i].copy();
      for (std::size_t e = 0; e < difference.size(); ++e)
        difference.set_flat(e, (above[i].flat(e) - below[i].flat(e)) / (2 * h));
      INFO("parameter ", layer.parameters()[i].name());
      CHECK(close(product[i], difference, 1e-6, 1e-6));
    }
  });
}

TEST_CASE("the Hessian of a layer is symmetric: u' H v = v' H u") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    const double uHv = dot_all(directions(layer, 1), hessian_times(layer, 2));
    const double vHu = dot_all(directions(layer, 2), hessian_times(layer, 1));
    CHECK(uHv == doctest::Approx(vHu).epsilon(1e-11));
    CHECK(std::abs(uHv) > 1e-3);
  });
}

TEST_CASE("the gradient along a direction is the forward derivative along it") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Tape tape;
    const Loss loss(tape, layer, 1);
    const double by_reverse = loss.along(backward(loss.value, {.create_graph = true})).item();
    CHECK(jvp(loss.value, loss.tangents()).item() == doctest::Approx(by_reverse).epsilon(1e-12));
  });
}

TEST_CASE("the gradient of a forward derivative is a Hessian-vector product, too") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    const std::vector<Array> expected = hessian_times(layer, 1);
    Tape tape;
    const Loss loss(tape, layer, 1);
    const Gradients gradients = backward(jvp(loss.value, loss.tangents()));
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(close(gradients[loss.parameters[i]], expected[i], 1e-12, 1e-11));
  });
}

TEST_CASE("the penalty of a gradient's norm can be trained on") {
  // d/dw of |dL/dx|^2 for L = tanh(w x)
  const double w = 0.7, x = 0.3, y = std::tanh(w * x), s = 1 - y * y;
  Tape tape;
  const Var wv = tape.input(Array::scalar(w)), xv = tape.input(Array::scalar(x));
  const Var slope = backward(tanh(wv * xv), {.create_graph = true}).var(xv);
  // slope = w s, and ds/dw = -2 y s x
  CHECK(slope.item() == doctest::Approx(w * s).epsilon(1e-14));
  CHECK(backward(square(slope))[wv].item() == doctest::Approx(2 * w * s * (s - 2 * w * y * s * x)).epsilon(1e-13));
}

}  // namespace unroll::test
