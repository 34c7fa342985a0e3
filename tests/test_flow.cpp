#include "layers_support.hpp"

#include <unroll/core/check/flow.hpp>
#include <unroll/core/check/jacobian.hpp>
#include <unroll/core/check/verdict.hpp>
#include <unroll/core/kernels/linalg.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/recurrent_stack.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>

#include <doctest/doctest.h>

namespace unroll::test {

namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix matrix(const ArrayView& a) {
  Matrix m(static_cast<std::size_t>(a.shape[0]), std::vector<double>(static_cast<std::size_t>(a.shape[1])));
  for (std::size_t i = 0; i < m.size(); ++i)
    for (std::size_t j = 0; j < m[0].size(); ++j) m[i][j] = a.flat(i * m[0].size() + j);
  return m;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<double>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

// h_t = x_t W + h_(t-1) U, as a cell of one's own, over T steps of one sequence.
struct LinearRun {
  LinearRun(std::int64_t steps, Generator& generator, double scale = 1)
      : W("W", random_array({2, 3}, generator)), U("U", normal({3, 3}, scale, generator, DType::f64)) {
    for (std::int64_t t = 1; t <= steps; ++t) {
      const Step step(tape, t);
      xs.push_back(tape.input(random_array({1, 2}, generator), "x"));
    }
    const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
      const Var from_x = matmul(x, tape.use(W)), from_h = matmul(h, tape.use(U));
      const Var next = (from_x + from_h).named("h");
      return {next, next};
    };
    hs = over_time(cell, xs, tape.constant(Array({1, 3}, DType::f64), "h")).outputs;
  }
  Tape tape;
  Parameter W, U;
  std::vector<Var> xs, hs;
};

// An LSTM of one unit with all weights 0, whose loss is h after T steps.
GradientFlow idle_lstm(std::int64_t steps, double forget_bias) {
  Generator generator(1);
  const LSTM lstm({.input = 1, .hidden = 1, .forget_bias = forget_bias, .dtype = DType::f64}, generator);
  for (Parameter p : {lstm.W_x, lstm.W_h}) p.assign(Array(p.shape(), DType::f64));
  Tape tape;
  const auto sequence = over_time(lstm, tape.constant(Array({steps, 1, 1}, DType::f64)));
  return gradient_flow(sum(sequence.outputs.back()));
}

// A stack over random inputs, with a loss at every step.
struct StackRun {
  explicit StackRun(CellKind cell, std::int64_t layers = 1, std::int64_t steps = 6) {
    Generator generator(11);
    stack.emplace(RecurrentStackOptions{.cell = cell, .input = 2, .hidden = 3, .layers = layers, .dtype = DType::f64},
                  generator);
    randomize(*stack, generator);
    outputs = over_time(*stack, tape.constant(random_array({steps, 2, 2}, generator))).outputs;
    for (const Var& h : outputs) losses.push_back(mean(square(h - tape.constant(random_array({2, 3}, generator)))));
    loss = losses[0];
    for (std::size_t s = 1; s < losses.size(); ++s) loss = loss + losses[s];
  }
  Tape tape;
  std::optional<RecurrentStack> stack;
  std::vector<Var> outputs, losses;
  Var loss;
};

}  // namespace

// ---- Jacobians

TEST_CASE("flow: in a linear RNN dh_T/dx_(T-k) is W_in times the k-th power of W") {
  Generator generator(5);
  const LinearRun run(6, generator);
  Matrix expected = matrix(run.W.value());
  for (std::size_t k = 0; k < 6; ++k) {
    const Array found = jacobian(run.hs.back(), run.xs[5 - k]);
    REQUIRE(found.shape() == Shape{1, 3, 1, 2});
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        CHECK(found.flat(j * 2 + i) == doctest::Approx(expected[i][j]).epsilon(1e-12));
    expected = product(expected, matrix(run.U.value()));
  }
}

TEST_CASE("flow: the norms of dL/dh_t in a linear RNN are those of powers of W") {
  Generator generator(6);
  LinearRun run(7, generator);
  const GradientFlow flow = gradient_flow(sum(run.hs.back()));
  REQUIRE(flow.layers.size() == 1);
  Matrix v{{1}, {1}, {1}};
  for (std::size_t t = 7; t-- > 0;) {
    const double expected = std::sqrt(v[0][0] * v[0][0] + v[1][0] * v[1][0] + v[2][0] * v[2][0]);
    CHECK(flow.layers[0].gradient_norm_h[t] == doctest::Approx(expected).epsilon(1e-12));
    CHECK(flow.layers[0].signal.h[t] == doctest::Approx(expected).epsilon(1e-12));
    v = product(matrix(run.U.value()), v);
  }
  CHECK(flow.layers[0].gradient_norm_c.empty());
  CHECK(flow.layers[0].steps == std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("flow: a step of a one-unit tanh RNN has the derivative w (1 - h^2), which is its singular value") {
  Generator generator(2);
  const RNN rnn({.input = 1, .hidden = 1, .dtype = DType::f64}, generator);
  Parameter(rnn.W_x).assign(Array({1, 1}, {0.8}));
  Parameter(rnn.W_h).assign(Array({1, 1}, {-1.3}));
  Parameter(rnn.b).assign(Array({1}, {0.1}));
  Tape tape;
  const std::vector<double> x{0.5, -1, 2, 0.25};
  const auto sequence = over_time(rnn, tape.constant(Array({4, 1, 1}, std::span(x))));
  const GradientFlow flow = gradient_flow(sum(sequence.outputs.back()), {.jacobians = FlowOptions::Jacobians::of_h});
  double h = 0, product = 1;
  std::vector<double> factors;
  for (const double value : x) {
    h = std::tanh(0.8 * value - 1.3 * h + 0.1);
    factors.push_back(-1.3 * (1 - h * h));
  }
  const LayerFlow& layer = flow.layers.at(0);
  REQUIRE(layer.singular_values.size() == 3);
  for (std::size_t t = 4; t-- > 1;) {
    CHECK(layer.singular_values[t - 1].at(0) == doctest::Approx(std::abs(factors[t])).epsilon(1e-12));
    product *= factors[t];
    CHECK(layer.gradient_norm_h[t - 1] == doctest::Approx(std::abs(product)).epsilon(1e-12));
  }
}

TEST_CASE("flow: total and immediate derivative of h_t by W are related by the step Jacobian of the whole state") {
  for (const CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru}) {
    StackRun run(cell);
    const Recurrence layer = find_recurrences(run.tape).at(0);
    const Parameter W = run.stack->parameters()[1];
    const std::vector<Var> before = layer.state(3), after = layer.state(4);
    // total(t) = immediate(t) + d state_t/d state_(t-1) total(t-1), for h and c together
    const Array step = step_jacobian(after, before);
    const auto batch = std::size_t{2}, n = std::size_t{3}, w = W.size(), width = n * before.size();
    std::vector<Array> total_before;
    for (const Var& s : before) total_before.push_back(total_derivative(s, W));
    for (std::size_t part = 0; part < after.size(); ++part) {
      const Array total = total_derivative(after[part], W), immediate = immediate_derivative(after[part], W, before);
      CHECK(norm(total) != doctest::Approx(norm(immediate)));
      for (std::size_t b = 0; b < batch; ++b)
        for (std::size_t i = 0; i < n; ++i)
          for (std::size_t k = 0; k < w; ++k) {
            double expected = immediate.flat((b * n + i) * w + k);
            for (std::size_t j = 0; j < width; ++j)
              expected +=
                  step.flat((b * width + part * n + i) * width + j) * total_before[j / n].flat((b * n + j % n) * w + k);
            CHECK(total.flat((b * n + i) * w + k) == doctest::Approx(expected).epsilon(1e-9));
          }
    }
  }
}

TEST_CASE("flow: total and immediate derivative agree with finite differences over all steps and over one") {
  Generator generator(21);
  const LSTM lstm({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  randomize(lstm, generator);
  const Array x = random_array({4, 1, 2}, generator), u = random_array({1, 2}, generator);
  const auto h_after = [&](const Array& U, bool only_last) {
    LSTM changed = lstm;
    changed.W_h = Parameter("lstm.W_h", U);
    Tape tape;
    const std::vector<Var> xs = time_steps(tape.constant(x));
    LSTMState state = lstm.zero_state(tape, 1);
    for (std::size_t t = 0; t < 4; ++t) state = (only_last && t < 3 ? lstm : changed)(xs[t], state).second;
    return state.h.value().copy();
  };
  Tape tape;
  const auto sequence = over_time(lstm, tape.constant(x));
  const Recurrence layer = find_recurrences(tape).at(0);
  const std::size_t w = lstm.W_h.size();
  for (const bool immediate : {false, true}) {
    const Array found =
        immediate ? immediate_derivative(layer.h[3], lstm.W_h, layer.state(2)) : total_derivative(layer.h[3], lstm.W_h);
    const Array numeric = numeric_gradient([&](const std::vector<Array>& at) { return h_after(at[0], immediate); },
                                           {lstm.W_h.value().copy()}, 0, u);
    for (std::size_t k = 0; k < w; ++k)
      CHECK(u.flat(0) * found.flat(k) + u.flat(1) * found.flat(w + k) ==
            doctest::Approx(numeric.flat(k)).epsilon(1e-6));
  }
}

TEST_CASE("flow: singular values and spectral radius of matrices that are known") {
  const auto values = [](Shape shape, std::initializer_list<double> elements) {
    return kernels::singular_values(Array(std::move(shape), elements));
  };
  const auto permuted = values({2, 2}, {0, -2, 3, 0});
  REQUIRE(permuted.size() == 2);
  CHECK(permuted[0] == doctest::Approx(3));
  CHECK(permuted[1] == doctest::Approx(2));
  const auto tall = values({3, 2}, {1, 1, 1, 1, 1, 1});
  REQUIRE(tall.size() == 2);
  CHECK(tall[0] == doctest::Approx(std::sqrt(6.0)));
  CHECK(tall[1] == doctest::Approx(0).scale(1));
  CHECK(values({1, 1}, {-0.5}) == std::vector<double>{0.5});
  CHECK(kernels::singular_values(Array({1, 2}, {3, 4}, DType::f32)).at(0) == doctest::Approx(5));
  CHECK(kernels::singular_values(Array({0, 3}, DType::f64)).empty());
  // a rotation by 90 degrees has imaginary eigenvalues; a shear has 1 twice however long it is
  CHECK(kernels::spectral_radius(Array({2, 2}, {0, -2, 2, 0})) == doctest::Approx(2));
  CHECK(kernels::spectral_radius(Array({2, 2}, {1, 100, 0, -1})) == doctest::Approx(1));
  CHECK(values({2, 2}, {1, 100, 0, 1}).at(0) > 100);

  const double nan = std::nan("");
  CHECK(message([&] {
          kernels::singular_values(Array({1, 2}, {1, nan}));
        }) == "singular_values: (1, 2): an element is not finite");
  CHECK(message([&] { kernels::singular_values(Array({2}, {1, 2})); }) == "singular_values: (2): expected a matrix");
  CHECK(message([&] {
          kernels::spectral_radius(Array({1, 2}, {1, 2}));
        }) == "spectral_radius: (1, 2): expected a square matrix");
}

TEST_CASE("flow: the Jacobian of h alone is the corner of that of the whole state") {
  StackRun run(CellKind::lstm);
  const Recurrence layer = find_recurrences(run.tape).at(0);
  const Array whole = step_jacobian(layer.state(3), layer.state(2));
  const Array h_alone = step_jacobian({layer.h[3]}, {layer.h[2]}, layer.state(2));
  REQUIRE(whole.shape() == Shape{2, 6, 6});
  REQUIRE(h_alone.shape() == Shape{2, 3, 3});
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) CHECK(whole.at({b, i, j}) == h_alone.at({b, i, j}));
      // dc_t/dc_(t-1) of an LSTM without peepholes is f on the diagonal
      for (std::int64_t j = 0; j < 3; ++j) {
        const auto f =
            std::find_if(layer.gates.begin(), layer.gates.end(), [](const auto& g) { return g.name == "f"; });
        CHECK(whole.at({b, 3 + i, 3 + j}) == doctest::Approx(i == j ? f->values[3].value().at({b, i}) : 0));
      }
    }
  CHECK(message([&] { step_jacobian({}, {layer.h[0]}); }) ==
        "step_jacobian: no state was given after or before the step");
  CHECK(message([&] {
          step_jacobian({layer.h[1]}, {run.loss});
        }).starts_with("step_jacobian: a state has shape (), expected (2, units) as the first"));
}

// ---- the cell state

TEST_CASE("flow: with zero weights the c path of an LSTM decays as 0.5^T, and as 0.7311^T with forget bias 1") {
  constexpr std::int64_t T = 20;
  const double e = std::numbers::e;
  for (const auto& [bias, factor, steps] :
       {std::tuple{0.0, 0.5, 1.0}, {1.0, 1 / (1 + 1 / e), std::log(2) / std::log(1 + 1 / e)}}) {
    const GradientFlow flow = idle_lstm(T, bias);
    const LayerFlow& layer = flow.layers.at(0);
    REQUIRE(layer.gradient_norm_c.size() == T);
    for (std::int64_t t = 1; t <= T; ++t) {
      // o = 1/2 stands between h_T and c_T
      CHECK(layer.gradient_norm_c[static_cast<std::size_t>(t - 1)] ==
            doctest::Approx(0.5 * std::pow(factor, T - t)).epsilon(1e-12));
      CHECK(layer.gradient_norm_h[static_cast<std::size_t>(t - 1)] == (t == T ? 1 : 0));
    }
    REQUIRE(layer.signal.half_life);
    CHECK(*layer.signal.half_life == doctest::Approx(steps).epsilon(1e-9));
    CHECK(layer.signal.arriving() == doctest::Approx(0.5 * std::pow(factor, T - 1)).epsilon(1e-12));
  }
  CHECK(*idle_lstm(T, 1).layers[0].signal.half_life == doctest::Approx(2.2127).epsilon(1e-4));
}

TEST_CASE("flow: the half-life of an exact decay, of none, of growth, and of a signal that is gone at once") {
  const auto decay = [](double factor, double first = 1) {
    std::vector<double> signal{first};
    for (int k = 1; k < 12; ++k) signal.push_back(std::pow(factor, k));
    return half_life(signal, 1e-300);
  };
  CHECK(decay(0.5).value() == doctest::Approx(1));
  CHECK(decay(0.25).value() == doctest::Approx(0.5));
  CHECK(decay(std::pow(0.5, 0.1)).value() == doctest::Approx(10));
  CHECK(decay(0.5, 1000).value() == doctest::Approx(1));  // where it enters does not count
  CHECK(!decay(1));
  CHECK(!decay(1.5));
  CHECK(half_life(std::vector<double>{1, 0, 0}, 1e-300).value() == 0);
  CHECK(half_life(std::vector<double>{1, 0.25}, 1e-300).value() == doctest::Approx(0.5));
  CHECK(!half_life(std::vector<double>{1}, 1e-300));
  CHECK(!half_life(std::vector<double>{0, 0, 0}, 1e-300));
  CHECK(!half_life({}, 1e-300));
  // digits that are lost below the smallest normal number do not bend the line
  CHECK(half_life(std::vector<double>{1, 0.5, 0.25, 1e-39, 1e-45}, 1.2e-38).value() == doctest::Approx(1));
}

// ---- which part of the loss is followed

TEST_CASE("flow: the signal of the last step is that of a loss that reads the last step alone") {
  for (const CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    for (const std::int64_t layers : {1, 2}) {
      StackRun run(cell, layers);
      const GradientFlow all = gradient_flow(run.loss), last = gradient_flow(run.losses.back());
      REQUIRE(all.layers.size() == static_cast<std::size_t>(layers));
      for (std::size_t i = 0; i < all.layers.size(); ++i) {
        for (std::size_t t = 0; t < 6; ++t) {
          CHECK(all.layers[i].signal.h[t] == doctest::Approx(last.layers[i].gradient_norm_h[t]).epsilon(1e-10));
          CHECK(last.layers[i].signal.h[t] == doctest::Approx(last.layers[i].gradient_norm_h[t]).epsilon(1e-10));
          if (cell == CellKind::lstm)
            CHECK(all.layers[i].signal.c[t] == doctest::Approx(last.layers[i].gradient_norm_c[t]).epsilon(1e-10));
        }
        CHECK(all.layers[i].gradient_norm_h[2] != doctest::Approx(last.layers[i].gradient_norm_h[2]));
        CHECK(all.layers[i].signal.error > last.layers[i].signal.error);
        CHECK(all.layers[i].signal.last == 5);
      }
    }
}

TEST_CASE("flow: where the loss reads an early step the signal begins there") {
  StackRun run(CellKind::gru);
  const LayerFlow layer = gradient_flow(run.losses[2]).layers.at(0);
  CHECK(layer.signal.last == 2);
  CHECK(layer.signal.entering == layer.gradient_norm_h[2]);
  CHECK(layer.signal.h[3] == 0);
  CHECK(layer.gradient_norm_h[3] == 0);
  CHECK(layer.signal.back(3) == 0);
}

TEST_CASE("flow: two directions of a sequence are followed each from its own last state") {
  Generator generator(8);
  const RNN there({.input = 2, .hidden = 3, .name = "there", .dtype = DType::f64}, generator),
      back({.input = 2, .hidden = 3, .name = "back", .dtype = DType::f64}, generator);
  Tape tape;
  const std::vector<Var> xs = time_steps(tape.constant(random_array({5, 1, 2}, generator)));
  const Var forward = over_time(there, xs, there.zero_state(tape, 1)).outputs.back();
  HiddenState state = back.zero_state(tape, 1);
  for (std::size_t t = 5; t-- > 0;) {
    const Step step(tape, static_cast<std::int64_t>(t + 1));
    state = back(xs[t], state).second;
  }
  const GradientFlow flow = gradient_flow(sum(square(forward)) + sum(square(state.h)));
  REQUIRE(flow.layers.size() == 2);
  CHECK(flow.layers[0].layer == "there");
  CHECK(flow.layers[1].steps == std::vector<std::int32_t>{5, 4, 3, 2, 1});
  for (const LayerFlow& layer : flow.layers) {
    CHECK(layer.signal.last == 4);
    for (std::size_t i = 0; i < 5; ++i)
      CHECK(layer.signal.h[i] == doctest::Approx(layer.gradient_norm_h[i]).epsilon(1e-12));
    CHECK(layer.signal.arriving() > 0);
  }
}

// ---- sums

TEST_CASE("flow: the credit table holds |dL_s/dh_t|, and the gradients of the losses of all steps add up") {
  for (const CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru}) {
    StackRun run(cell, 2);
    const std::vector<Recurrence> layers = find_recurrences(run.tape);
    const GradientFlow flow = gradient_flow(run.loss, {.step_losses = run.losses});
    const Gradients whole = backward(run.loss, {.keep = Keep::all});
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto& table = flow.layers[i].credit;
      REQUIRE(table.size() == 6);
      for (std::size_t t = 0; t < 6; ++t) {
        Array sum(layers[i].h[t].shape(), DType::f64);
        for (std::size_t s = 0; s < 6; ++s) {
          const Gradients part = backward(run.losses[s], {.keep = Keep::all});
          if (s < t) {
            CHECK(table[s][t] == 0);
            CHECK(!part.contains(layers[i].h[t]));
            continue;
          }
          double squares = 0;
          for (std::size_t k = 0; k < sum.size(); ++k) {
            const double g = part[layers[i].h[t]].flat(k);
            squares += g * g;
            sum.set_flat(k, sum.flat(k) + g);
          }
          CHECK(table[s][t] == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
        }
        CHECK(close(sum, whole[layers[i].h[t]], 1e-12, 1e-11));
      }
      CHECK(table[5] == flow.layers[i].signal.h);
    }
  }
}

TEST_CASE("flow: the contributions of the steps to dL/dW add up to it") {
  for (const CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru}) {
    StackRun run(cell);
    const std::vector<Parameter>& parameters = run.stack->parameters();
    const GradientFlow flow = gradient_flow(run.loss, {.contributions = parameters});
    REQUIRE(flow.contributions.size() == parameters.size());
    const Gradients plain = backward(run.loss), apart = backward(run.loss, {.by_step = parameters});
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      const ContributionFlow& found = flow.contributions[p];
      CHECK(found.parameter == parameters[p].name());
      CHECK(found.steps == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
      Array sum(parameters[p].shape(), DType::f64);
      for (std::size_t s = 0; s < found.steps.size(); ++s) {
        const ArrayView part = apart.contribution(parameters[p], found.steps[s]);
        CHECK(found.norms[s] == doctest::Approx(norm(part)));
        for (std::size_t k = 0; k < sum.size(); ++k) sum.set_flat(k, sum.flat(k) + part.flat(k));
      }
      CHECK(close(sum, plain[parameters[p]], 1e-12, 1e-11));
    }
  }
}

// ---- gates and layers

TEST_CASE("flow: mean and saturation of the gates are those of the numbers that were put in") {
  Generator generator(1);
  const LSTM lstm({.input = 1, .hidden = 2, .dtype = DType::f64}, generator);
  for (Parameter p : {lstm.W_x, lstm.W_h}) p.assign(Array(p.shape(), DType::f64));
  // i: sigmoid(0), sigmoid(2.9) = 0.948; f: 3, -3 (0.953, 0.047); g: 1.8, 1.9 (0.947, 0.956); o: 0, 10
  Parameter(lstm.b).assign(Array({8}, {0, 2.9, 3, -3, 1.8, 1.9, 0, 10}));
  Tape tape;
  const auto sequence = over_time(lstm, tape.constant(Array({3, 2, 1}, DType::f64)));
  const LayerFlow layer = gradient_flow(sum(sequence.outputs.back())).layers.at(0);
  CHECK(layer.layer == "lstm");
  CHECK(layer.units == 2);
  std::map<std::string, GateFlow> gates;
  for (const GateFlow& gate : layer.gates) gates[gate.name] = gate;
  REQUIRE(gates.size() == 4);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (std::size_t t = 0; t < 3; ++t) {
    CHECK(gates["i"].mean[t] == doctest::Approx((0.5 + sigmoid(2.9)) / 2));
    CHECK(gates["i"].saturated[t] == 0);
    CHECK(gates["f"].mean[t] == doctest::Approx(0.5));
    CHECK(gates["f"].saturated[t] == 1);
    CHECK(gates["g"].mean[t] == doctest::Approx((std::tanh(1.8) + std::tanh(1.9)) / 2));
    CHECK(gates["g"].saturated[t] == 0.5);
    CHECK(gates["g"].is_tanh);
    CHECK(gates["o"].saturated[t] == 0.5);
  }
}

TEST_CASE("flow: layers are found by their names, in packed and textbook form alike") {
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string& letters) {
    Generator generator(4);
    const Array x = random_array({4, 2, 2}, generator);
    const auto measured = [&](const auto& layer) {
      Tape tape;
      const auto sequence = over_time(layer, tape.constant(x));
      return gradient_flow(mean(square(sequence.outputs.back()))).layers.at(0);
    };
    const LayerFlow a = measured(packed), b = measured(textbook);
    CHECK(a.layer == b.layer);
    std::string names;
    for (const GateFlow& gate : a.gates) names += gate.name;
    std::string sorted = letters;
    std::sort(sorted.begin(), sorted.end());
    const bool is_relu = a.gates.empty();
    CHECK(names == (letters.empty() && !is_relu ? "h" : sorted));
    REQUIRE(a.gates.size() == b.gates.size());
    for (std::size_t g = 0; g < a.gates.size(); ++g) {
      CHECK(a.gates[g].name == b.gates[g].name);
      for (std::size_t t = 0; t < 4; ++t) CHECK(a.gates[g].mean[t] == doctest::Approx(b.gates[g].mean[t]));
    }
    for (std::size_t t = 0; t < 4; ++t)
      CHECK(a.gradient_norm_h[t] == doctest::Approx(b.gradient_norm_h[t]).epsilon(1e-10));
  });
}

TEST_CASE("flow: a state that a mask chooses is no layer of its own, and each sequence is followed from its own end") {
  Generator generator(12);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Array x = random_array({5, 2, 2}, generator);
  Tape tape;
  const std::vector<std::int64_t> lengths{5, 3};
  const auto sequence = over_time(lstm, time_steps(tape.constant(x)), lstm.zero_state(tape, 2),
                                  {.mask = length_mask(lengths, 5, DType::f64)});
  const GradientFlow flow = gradient_flow(sum(square(sequence.state.h)));
  REQUIRE(flow.layers.size() == 1);
  CHECK(flow.layers[0].layer == "lstm");
  CHECK(flow.layers[0].steps.size() == 5);
  // the long sequence alone: the last two steps see only it
  Tape alone;
  Array first({5, 1, 2}, DType::f64);
  for (std::int64_t t = 0; t < 5; ++t)
    for (std::int64_t j = 0; j < 2; ++j) first.set_flat(static_cast<std::size_t>(2 * t + j), x.at({t, 0, j}));
  const GradientFlow one = gradient_flow(sum(square(over_time(lstm, alone.constant(first)).state.h)));
  for (std::size_t t = 0; t < 5; ++t) {
    CHECK(flow.layers[0].signal.h[t] == doctest::Approx(one.layers[0].signal.h[t]).epsilon(1e-12));
    if (t >= 3)
      CHECK(flow.layers[0].gradient_norm_h[t] == doctest::Approx(one.layers[0].gradient_norm_h[t]).epsilon(1e-12));
    else
      CHECK(flow.layers[0].gradient_norm_h[t] > 1.0001 * one.layers[0].gradient_norm_h[t]);
  }
}

TEST_CASE("flow: a tape without a hidden state over time is refused, and so is a sequence that is not in the batch") {
  Tape tape;
  const Var x = tape.input(Array({2}, {1, 2}));
  CHECK(message([&] { gradient_flow(sum(square(x))); }) ==
        "gradient flow: there is no recurrent layer on the tape: its hidden state is known by the name h at time steps "
        "from 1 on (Var::named, Step)");
  StackRun run(CellKind::rnn);
  CHECK(message([&] { gradient_flow(run.loss, {.jacobians = FlowOptions::Jacobians::of_h, .sequence = 2}); }) ==
        "gradient_flow: option sequence is 2, expected 0 to 1");
}

TEST_CASE("flow: a recurrence that is recomputed is refused") {
  Generator generator(12);
  const LSTM lstm({.input = 2, .hidden = 3, .name = "memory", .dtype = DType::f64}, generator);
  const Array x = random_array({9, 2, 2}, generator);
  for (const Recompute& recompute : {Recompute::square_root(), Recompute::every(1), Recompute::revolve(2)}) {
    Tape tape;
    const auto sequence =
        over_time(lstm, time_steps(tape.constant(x)), lstm.zero_state(tape, 2), {.recompute = recompute});
    const std::string found = message([&] { gradient_flow(sum(square(sequence.outputs.back()))); });
    INFO(found);
    CHECK(
        found.starts_with("gradient flow: the hidden state is recomputed in the backward pass, so the flow through it "
                          "cannot be read: record it without recompute or checkpoint  [memory, t = 1, node "));
  }
}

TEST_CASE(
    "flow: a layer that runs several times is found as often, also where a run begins at the step where one ended") {
  Generator generator(13);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const auto xs = time_steps(tape.constant(random_array({4, 2, 2}, generator)));
  const auto first = over_time(lstm, xs, lstm.zero_state(tape, 2));
  const auto second = over_time(lstm, xs, lstm.zero_state(tape, 2), {.reverse = true});
  const auto third = over_time(lstm, xs, first.state);
  const std::vector<Recurrence> layers = find_recurrences(tape);
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].layer == "lstm");
  CHECK(layers[1].layer == "lstm, run 2");
  CHECK(layers[2].layer == "lstm, run 3");
  CHECK(layers[1].steps == std::vector<std::int32_t>{4, 3, 2, 1});
  const auto* states = &first.state;
  for (std::size_t i = 0; i < 3; ++i, states = i == 1 ? &second.state : &third.state) {
    CHECK(layers[i].h.back().id() == states->h.id());
    REQUIRE(layers[i].c.size() == 4);
    CHECK(layers[i].c.back().id() == states->c.id());
    CHECK(layers[i].gates.size() == 4);
    for (const RecurrenceGate& gate : layers[i].gates)
      for (std::size_t t = 0; t < 4; ++t) {
        CHECK(gate.values[t].id() < layers[i].h[t].id());
        CHECK(gate.values[t].id() + 30 > layers[i].h[t].id());
      }
  }
}

TEST_CASE("flow: two runs of one layer that go step by step side by side are told apart") {
  Generator generator(13);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  LSTMState a = lstm.zero_state(tape, 1), b = lstm.zero_state(tape, 1);
  std::vector<NodeId> of_a, of_b;
  for (std::int64_t t = 1; t <= 4; ++t) {
    const Step step(tape, t);
    a = lstm(tape.constant(random_array({1, 2}, generator)), a).second;
    b = lstm(tape.constant(random_array({1, 2}, generator)), b).second;
    of_a.push_back(a.h.id());
    of_b.push_back(b.h.id());
  }
  const std::vector<Recurrence> layers = find_recurrences(tape);
  REQUIRE(layers.size() == 2);
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(layers[0].h[t].id() == of_a[t]);
    CHECK(layers[1].h[t].id() == of_b[t]);
    REQUIRE(layers[1].gates.size() == 4);
    CHECK(layers[0].gates[0].values[t].id() < of_a[t]);
    CHECK(layers[1].gates[0].values[t].id() > of_a[t]);
  }
  CHECK(layers[0].c.back().id() == a.c.id());
  CHECK(layers[1].c.back().id() == b.c.id());
}

TEST_CASE("flow: a network whose weights are not finite is measured without a bound") {
  Generator generator(14);
  const RNN rnn({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Array W = rnn.W_h.value().copy();
  W.set_flat(4, std::nan(""));
  Parameter(rnn.W_h).assign(W);
  Tape tape;
  const auto sequence = over_time(rnn, tape.constant(random_array({4, 1, 2}, generator)));
  const GradientFlow flow =
      gradient_flow(sum(square(sequence.outputs.back())), {.jacobians = FlowOptions::Jacobians::of_h});
  CHECK(!flow.layers[0].bound);
  REQUIRE(flow.layers[0].singular_values.size() == 3);
  REQUIRE(flow.layers[0].singular_values[2].size() == 3);
  CHECK(std::isnan(flow.layers[0].singular_values[2][0]));
  CHECK(judge(evidence(flow)).verdict == Verdict::exploding);
}

TEST_CASE("flow: the tape is afterwards as it was before") {
  StackRun run(CellKind::lstm, 2);
  const std::size_t nodes = run.tape.size();
  gradient_flow(run.loss, {.contributions = run.stack->parameters(),
                           .jacobians = FlowOptions::Jacobians::of_state,
                           .step_losses = run.losses});
  CHECK(run.tape.size() == nodes);
}

// ---- Pascanu's bound

TEST_CASE("flow: the singular values of no step exceed Pascanu's bound, and W below 1/gamma must vanish") {
  Generator generator(9);
  const RNN rnn({.input = 2, .hidden = 4, .dtype = DType::f64}, generator);
  for (const double scale : {0.5, 2.0}) {
    Array W = orthogonal({4, 4}, generator, DType::f64);
    for (std::size_t k = 0; k < W.size(); ++k) W.set_flat(k, scale * W.flat(k));
    Parameter(rnn.W_h).assign(W);
    Tape tape;
    const auto sequence = over_time(rnn, tape.constant(random_array({8, 1, 2}, generator)));
    const LayerFlow layer =
        gradient_flow(sum(sequence.outputs.back()), {.jacobians = FlowOptions::Jacobians::of_h}).layers.at(0);
    REQUIRE(layer.bound);
    CHECK(layer.bound->parameter == "rnn.W_h");
    CHECK(layer.bound->gamma == 1);
    CHECK(layer.bound->sigma_max == doctest::Approx(scale));
    CHECK(layer.bound->spectral_radius == doctest::Approx(scale));
    CHECK(layer.bound->must_vanish() == (scale < 1));
    REQUIRE(layer.bound->step.size() == 8);
    for (std::size_t t = 1; t < 8; ++t) {
      CHECK(layer.singular_values[t - 1].front() <= layer.bound->step[t] * (1 + 1e-12));
      CHECK(layer.bound->step[t] < scale);
    }
  }
}

TEST_CASE("flow: gamma is 1/4 for a sigmoid recurrence and 1 for relu, and a gated cell has no such bound") {
  Generator generator(10);
  const Parameter U("U", Array({2, 2}, {3, 0, 0, 1}));
  const auto bound_of = [&](auto phi) {
    Tape tape;
    std::vector<Var> xs;
    for (std::int64_t t = 1; t <= 3; ++t) xs.push_back(tape.constant(random_array({1, 2}, generator)));
    const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
      const Var next = phi(x + matmul(h, tape.use(U))).named("h");
      return {next, next};
    };
    over_time(cell, xs, tape.constant(Array({1, 2}, DType::f64), "h"));
    return pascanu_bound(find_recurrences(tape).at(0));
  };
  const auto of_sigmoid = bound_of([](Var a) { return sigmoid(a); });
  REQUIRE(of_sigmoid);
  CHECK(of_sigmoid->gamma == 0.25);
  CHECK(of_sigmoid->sigma_max == doctest::Approx(3));
  CHECK(of_sigmoid->must_vanish());  // 3 < 4
  for (const double step : of_sigmoid->step) CHECK(step <= 0.75 + 1e-12);
  const auto of_relu = bound_of([](Var a) { return relu(a); });
  REQUIRE(of_relu);
  CHECK(!of_relu->must_vanish());
  StackRun gated(CellKind::lstm), gru(CellKind::gru);
  CHECK(!pascanu_bound(find_recurrences(gated.tape).at(0)));
  CHECK(!pascanu_bound(find_recurrences(gru.tape).at(0)));
}

}  // namespace unroll::test
