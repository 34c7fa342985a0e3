#include "layers_support.hpp"

#include <unroll/layers/losses.hpp>

#include <cmath>

// Exact statements of papers and textbooks about recurrent networks, held to by running them.

namespace unroll::test {

namespace {

// A recurrence that is linear: h_t = x_t W_in + h_(t-1) W. Vectors are rows, so that a Jacobian dh/dx has one row
// for each element of x.
struct LinearRecurrence {
  Parameter W_in, W;

  std::pair<Var, Var> operator()(Var x, Var before) const {
    const Var h = matmul(x, x.tape().use(W_in)) + matmul(before, x.tape().use(W));
    return {h, h};
  }
};

// The derivative of the last h by the x of step t (1, 2, ...), by one backward pass for each element of h.
template <class Layer, class State>
Array jacobian(const Layer& layer, const Array& xs, State (*zero)(Tape&, const Layer&), std::int64_t t) {
  const std::int64_t input = xs.shape()[2];
  Tape tape;
  const Var x = tape.input(xs);
  const Var last = over_time(layer, x, zero(tape, layer)).outputs.back();
  const std::int64_t hidden = last.shape()[1];
  Array result({input, hidden}, DType::f64);
  for (std::int64_t j = 0; j < hidden; ++j) {
    Array one({1, hidden}, DType::f64);
    one.set_flat(static_cast<std::size_t>(j), 1);
    const Array dx = backward(last, {.cotangent = one})[x].copy();
    for (std::int64_t i = 0; i < input; ++i)
      result.set_flat(static_cast<std::size_t>(i * hidden + j), dx.at({t - 1, 0, i}));
  }
  return result;
}

Array product(const Array& a, const Array& b) {
  Array result({a.shape()[0], b.shape()[1]}, DType::f64);
  for (std::int64_t i = 0; i < a.shape()[0]; ++i)
    for (std::int64_t j = 0; j < b.shape()[1]; ++j) {
      double total = 0;
      for (std::int64_t k = 0; k < a.shape()[1]; ++k) total += a.at({i, k}) * b.at({k, j});
      result.set_flat(static_cast<std::size_t>(i * b.shape()[1] + j), total);
    }
  return result;
}

Var zero_row(Tape& tape, const LinearRecurrence& layer) {
  return tape.constant(Array({1, layer.W.shape()[0]}, DType::f64));
}
HiddenState zero_hidden(Tape& tape, const RNN& layer) { return layer.zero_state(tape, 1); }

// An LSTM without weights, whose gates are what their biases make of them.
LSTM weightless_lstm(double forget_bias) {
  Generator generator(1);
  const LSTM layer({.input = 1, .hidden = 2, .forget_bias = forget_bias, .dtype = DType::f64}, generator);
  for (Parameter p : {layer.W_x, layer.W_h}) p.assign(Array(p.shape(), DType::f64));
  return layer;
}

// dc_T/dc_0 after T steps.
double motorway(const LSTM& layer, std::int64_t T) {
  Tape tape;
  const Var c0 = tape.input(Array({1, 2}, {0.3, -2}));
  const LSTMState before{tape.constant(Array({1, 2}, DType::f64)), c0};
  const Var c = over_time(layer, tape.constant(Array({T, 1, 1}, DType::f64)), before).state.c;
  const Array dc = backward(c, {.cotangent = Array({1, 2}, {1, 0})})[c0].copy();
  CHECK(dc.flat(1) == 0);
  return dc.flat(0);
}

}  // namespace

TEST_CASE("Jacobians of a linear RNN are powers of the recurrent matrix: dh_t/dx_(t-k) = W_in W^k in rows") {
  Generator generator(1);
  const Array xs = random_array({6, 1, 2}, generator);
  const LinearRecurrence layer{{"W_in", random_array({2, 3}, generator)}, {"W", random_array({3, 3}, generator)}};
  Array expected = layer.W_in.value().copy();
  for (std::int64_t t = 6; t >= 1; --t) {
    INFO("k = ", 6 - t);
    CHECK(close(jacobian(layer, xs, zero_row, t), expected, 1e-12, 1e-12));
    expected = product(expected, layer.W.value());
  }
}

TEST_CASE("after five steps the first input has been multiplied by the recurrent weight four times") {
  const LinearRecurrence layer{{"W_in", Array({1, 1}, {1.0})}, {"W", Array({1, 1}, {3.0})}};
  const Array xs({5, 1, 1}, {7, 0, 0, 0, 0});
  CHECK(jacobian(layer, xs, zero_row, 1).item() == 81);
  CHECK(jacobian(layer, xs, zero_row, 5).item() == 1);
  Tape tape;
  CHECK(over_time(layer, tape.constant(xs), zero_row(tape, layer)).outputs.back().item() == 7 * 81);
}

TEST_CASE("tanh adds the factors 1 - h^2 to the Jacobian of an RNN") {
  Generator generator(2);
  const RNN layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Array xs = random_array({5, 1, 2}, generator);
  Tape tape;
  const auto outputs = over_time(layer, tape.constant(xs)).outputs;
  // scales the columns by 1 - h_t^2
  const auto through_tanh = [&](Array jacobian_of_a, std::size_t t) {
    for (std::size_t i = 0; i < jacobian_of_a.size(); ++i) {
      const double h = outputs[t - 1].value().flat(i % 3);
      jacobian_of_a.set_flat(i, jacobian_of_a.flat(i) * (1 - h * h));
    }
    return jacobian_of_a;
  };
  for (std::size_t t = 1; t <= 5; ++t) {
    Array expected = through_tanh(layer.W_x.value().copy(), t);
    for (std::size_t later = t + 1; later <= 5; ++later)
      expected = through_tanh(product(expected, layer.W_h.value()), later);
    CHECK(close(jacobian(layer, xs, zero_hidden, static_cast<std::int64_t>(t)), expected, 1e-13, 1e-12));
  }
}

TEST_CASE("a recurrent weight below 1 makes gradients vanish, one above 1 makes them explode, by that factor a step") {
  for (const double w : {0.5, 2.0}) {
    const LinearRecurrence layer{{"W_in", Array({1, 1}, {1.0})}, {"W", Array({1, 1}, {w})}};
    CHECK(jacobian(layer, Array({41, 1, 1}, DType::f64), zero_row, 1).item() == std::pow(w, 40));
  }
}

TEST_CASE("exploding gradients end in infinity") {
  const LinearRecurrence layer{{"W_in", Array({1, 1}, {1.0})}, {"W", Array({1, 1}, {2.0})}};
  CHECK(std::isinf(jacobian(layer, Array({1100, 1, 1}, DType::f64), zero_row, 1).item()));
}

TEST_CASE("along the cell path of an LSTM the derivative is the product of the forget gates") {
  for (const std::int64_t T : {1, 2, 10, 50}) {
    INFO("T = ", T);
    CHECK(motorway(weightless_lstm(0), T) == std::ldexp(1.0, -static_cast<int>(T)));  // 0.5^T
    CHECK(motorway(weightless_lstm(1), T) ==
          doctest::Approx(std::pow(0.7310585786300049, static_cast<double>(T))).epsilon(1e-13));
  }
}

TEST_CASE("a forget gate that is wide open carries the cell's gradient over a thousand steps") {
  CHECK(motorway(weightless_lstm(40), 1000) == 1);
  CHECK(motorway(weightless_lstm(0), 1000) < 1e-300);
}

TEST_CASE("one step of an LSTM with weights: dc_t/dc_(t-1) is the forget gate, element by element") {
  Generator generator(3);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const Var c0 = tape.input(random_array({1, 3}, generator));
  const LSTMState before{tape.constant(random_array({1, 3}, generator)), c0};
  const auto sequence = over_time(layer, tape.constant(random_array({1, 1, 2}, generator)), before);
  const Var f = tape.var(nodes_named(tape, "f", 1).at(0));
  const Gradients gradients = backward(sum(sequence.state.c));
  CHECK(close(gradients[c0], f.value(), 0, 1e-15));
}

TEST_CASE("one product with [x, h] of 100 + 100 features equals two products, to rounding") {
  Generator generator(4);
  const RNN layer({.input = 100, .hidden = 100, .dtype = DType::f64}, generator);
  Tape tape;
  const Var x = tape.constant(random_array({2, 100}, generator)), h = tape.constant(random_array({2, 100}, generator));
  const Var apart = layer(x, {h}).first;
  const Var both[] = {x, h}, weights[] = {tape.use(layer.W_x), tape.use(layer.W_h)};
  const Var W = concat(weights, 0);
  CHECK(W.shape() == Shape{200, 100});
  const Var together = tanh(matmul(concat(both, 1), W) + tape.use(layer.b));
  CHECK(close(together.value(), apart.value(), 1e-13, 1e-12));
}

TEST_CASE("a GRU whose z admits the new is one whose z keeps the past, with the weights of z negated") {
  Generator generator(5);
  const GRU keeps({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const textbook::GRU gates(keeps), mirrored(keeps);
  for (Parameter p : {mirrored.update.W, mirrored.update.U, mirrored.update.b}) {
    Array negated = p.value().copy();
    for (std::size_t i = 0; i < negated.size(); ++i) negated.set_flat(i, -negated.flat(i));
    p.assign(negated);
  }
  // Chung et al. 2014: h_t = (1 - z) h_(t-1) + z n
  const auto admits = [&](Var x, HiddenState before) {
    Tape& tape = x.tape();
    const auto a = [&](const textbook::Gate& g, Var h) {
      return matmul(x, tape.use(g.W)) + matmul(h, tape.use(g.U)) + tape.use(g.b);
    };
    const Var r = sigmoid(a(mirrored.reset, before.h)), z = sigmoid(a(mirrored.update, before.h));
    const Var n = tanh(a(mirrored.candidate, r * before.h));
    const Var h = (1.0 - z) * before.h + z * n;
    return std::pair{h, HiddenState{h}};
  };
  Tape tape;
  const Var x = tape.constant(random_array({4, 2, 2}, generator));
  const Var kept = over_time(gates, x).stacked(), admitted = over_time(admits, x, gates.zero_state(tape, 2)).stacked();
  CHECK(close(admitted.value(), kept.value(), 1e-14, 1e-13));
}

TEST_CASE("the copy task without memory costs 10 ln 8 / (T + 20)") {
  // 8 symbols, a blank and a marker; T + 10 blanks are certain, and the last 10 steps are a guess among 8
  for (const int T : {10, 100}) {
    Tape tape;
    std::vector<Var> logits;
    std::vector<std::int64_t> targets;
    for (int t = 0; t < T + 20; ++t) {
      const bool recall = t >= T + 10;
      Array step = Array::filled({1, 10}, -1000, DType::f64);
      for (std::size_t symbol = 0; symbol < 8; ++symbol)
        if (recall) step.set_flat(symbol, 0);
      if (!recall) step.set_flat(8, 0);
      logits.push_back(tape.constant(step));
      targets.push_back(recall ? t % 8 : 8);
    }
    CHECK(cross_entropy(logits, targets).item() ==
          doctest::Approx(10 * 2.0794415416798357 / (T + 20)).epsilon(1e-13));  // ln 8
  }
}

TEST_CASE("always answering 1 to the adding problem costs 1/6") {
  // the sum of two uniform numbers over a grid of midpoints, whose variance is that of the square up to 1 / n^2
  constexpr std::int64_t n = 200;
  Array target({n * n}, DType::f64);
  for (std::int64_t i = 0; i < n * n; ++i)
    target.set_flat(static_cast<std::size_t>(i),
                    (static_cast<double>(i / n) + 0.5) / n + (static_cast<double>(i % n) + 0.5) / n);
  Tape tape;
  const Var answer = tape.constant(Array::filled({n * n}, 1, DType::f64));
  CHECK(mse(answer, tape.constant(target)).item() == doctest::Approx(1.0 / 6).epsilon(1e-4));
}

}  // namespace unroll::test
