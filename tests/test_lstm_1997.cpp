#include "layers_support.hpp"

#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/lstm_1997.hpp>

#include <cmath>
#include <functional>
#include <vector>

// The LSTM of 1997 against plain loops, finite differences, and the paper's own way to its truncated gradient.

namespace unroll::test {

namespace {

LSTM1997 random_layer(LSTM1997Options options, std::uint64_t seed) {
  Generator generator(seed);
  options.dtype = DType::f64;
  LSTM1997 layer(options, generator);
  randomize(layer, generator);
  return layer;
}

double logistic(double a) { return 1 / (1 + std::exp(-a)); }

// One sequence through the layer in plain loops, with the sums ds/dw that the paper carries forward in time (its appendix A.1): the truncated
// gradient without any backward pass. `u` weighs the outputs: L = sum over t and cells of u * h.
struct ByHand {
  const LSTM1997& layer;
  std::size_t I, J, S, N, K;  // inputs, blocks, cells a block, cells, units
  std::vector<double> y, c;   // state
  // for every unit the weights from x, from y, and the bias stand in one row: what arrives at unit k is sum_m w[k][m] * source[m]
  std::vector<std::vector<double>> dL;           // dL/dw[k][m]
  std::vector<std::vector<double>> dc_by_cell;   // dc_n/dw of the cell's own weights
  std::vector<std::vector<double>> dc_by_input;  // dc_n/dw of the weights of its input gate
  std::vector<std::vector<double>> outputs;

  explicit ByHand(const LSTM1997& l)
      : layer(l),
        I(static_cast<std::size_t>(l.options.input)),
        J(static_cast<std::size_t>(l.options.blocks)),
        S(static_cast<std::size_t>(l.options.cells)),
        N(J * S),
        K(N + 2 * J),
        y(K),
        c(N),
        dL(K, std::vector<double>(I + K + 1)),
        dc_by_cell(N, std::vector<double>(I + K + 1)),
        dc_by_input(N, std::vector<double>(I + K + 1)) {}

  double weight(std::size_t k, std::size_t m) const {
    if (m < I) return layer.W_x.value().flat(m * K + k);
    if (m < I + K) return layer.W_y.value().flat((m - I) * K + k);
    if (layer.options.cell_bias) return layer.b.value().flat(k);
    return k < N ? 0 : layer.b.value().flat(k - N);
  }

  void step(const std::vector<double>& x, const std::vector<double>& u) {
    std::vector<double> source(x);
    source.insert(source.end(), y.begin(), y.end());
    source.push_back(1);
    std::vector<double> a(K);
    for (std::size_t k = 0; k < K; ++k)
      for (std::size_t m = 0; m < source.size(); ++m) a[k] += weight(k, m) * source[m];

    std::vector<double> next(K);
    for (std::size_t k = N; k < K; ++k) next[k] = logistic(a[k]);
    for (std::size_t n = 0; n < N; ++n) {
      const std::size_t in = N + n / S, out = N + J + n / S;
      const double g = 4 * logistic(a[n]) - 2, dg = 4 * logistic(a[n]) * (1 - logistic(a[n]));
      for (std::size_t m = 0; m < source.size(); ++m) {
        dc_by_cell[n][m] += next[in] * dg * source[m];
        dc_by_input[n][m] += g * next[in] * (1 - next[in]) * source[m];
      }
      c[n] += next[in] * g;
      const double shown = 2 * logistic(c[n]) - 1, dshown = 2 * logistic(c[n]) * (1 - logistic(c[n]));
      next[n] = next[out] * shown;
      for (std::size_t m = 0; m < source.size(); ++m) {
        dL[n][m] += u[n] * next[out] * dshown * dc_by_cell[n][m];
        dL[in][m] += u[n] * next[out] * dshown * dc_by_input[n][m];
        dL[out][m] += u[n] * shown * next[out] * (1 - next[out]) * source[m];
      }
    }
    y = next;
    outputs.emplace_back(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(N));
  }
};

std::vector<double> elements(const Array& array, std::size_t from, std::size_t count) {
  std::vector<double> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(array.flat(from + i));
  return result;
}

const std::vector<LSTM1997Options>& forms() {
  static const std::vector<LSTM1997Options> all{
      {.input = 2, .blocks = 3, .cells = 1},
      {.input = 3, .blocks = 2, .cells = 2},
      {.input = 2, .blocks = 2, .cells = 3, .cell_bias = false},
  };
  return all;
}

// The message of a failure.
std::string failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const ShapeError& e) { return e.what(); }
  return {};
}

}  // namespace

TEST_CASE("LSTM of 1997: outputs and the truncated gradient equal the paper's sums carried forward in plain loops") {
  for (LSTM1997Options options : forms()) {
    INFO("blocks ", options.blocks, " cells ", options.cells);
    options.truncated = true;
    const LSTM1997 layer = random_layer(options, 1);
    const std::int64_t T = 6;
    Generator generator(2);
    const Array xs = random_array({T, 1, options.input}, generator), u = random_array({T, 1, layer.cells()}, generator);
    ByHand hand(layer);
    for (std::size_t t = 0; t < static_cast<std::size_t>(T); ++t)
      hand.step(elements(xs, t * hand.I, hand.I), elements(u, t * hand.N, hand.N));

    Tape tape;
    const Var outputs = over_time(layer, tape.constant(xs)).stacked();
    for (std::size_t i = 0; i < outputs.value().size(); ++i)
      CHECK(outputs.value().flat(i) == doctest::Approx(hand.outputs[i / hand.N][i % hand.N]).epsilon(1e-13));
    const Gradients gradients = backward(sum(outputs * tape.constant(u)));
    const auto check = [&](const Parameter& p, auto unit, auto source) {
      for (std::size_t i = 0; i < p.size(); ++i) {
        INFO(p.name(), " ", i);
        CHECK(gradients[p].flat(i) == doctest::Approx(hand.dL[unit(i)][source(i)]).epsilon(1e-11));
      }
    };
    const std::size_t K = hand.K, I = hand.I;
    check(
        layer.W_x, [&](std::size_t i) { return i % K; }, [&](std::size_t i) { return i / K; });
    check(
        layer.W_y, [&](std::size_t i) { return i % K; }, [&](std::size_t i) { return I + i / K; });
    const std::size_t first = options.cell_bias ? 0 : hand.N;
    check(
        layer.b, [&](std::size_t i) { return first + i; }, [&](std::size_t) { return I + K; });
  }
}

TEST_CASE(
    "LSTM of 1997: the full gradient equals finite differences by every weight and input and by the first state") {
  for (const LSTM1997Options& options : forms()) {
    const LSTM1997 layer = random_layer(options, 3);
    for (const int order : {1, 2}) {
      const GradcheckReport report = gradcheck(layer, {.gradcheck = {.order = order}});
      CHECK_MESSAGE(report.passed, to_string(report));
      CHECK(report.rows.size() == 6);  // W_x, W_y, b, x, y0, c0
    }
  }
}

TEST_CASE("LSTM of 1997: truncation changes gradients and no value") {
  LSTM1997Options options = forms()[1];
  const LSTM1997 full = random_layer(options, 5);
  options.truncated = true;
  const LSTM1997 truncated = random_layer(options, 5);
  Generator generator(6);
  const Array xs = random_array({5, 2, 3}, generator);
  Tape tape;
  const auto run = [&](const LSTM1997& layer) { return over_time(layer, tape.constant(xs)).stacked(); };
  const Var a = run(full), b = run(truncated);
  CHECK(same_bits(a.value(), b.value()));
  const Gradients of_a = backward(sum(a)), of_b = backward(sum(b));
  CHECK(!close(of_a[full.W_x], of_b[truncated.W_x], 1e-3, 1e-3));
}

TEST_CASE("LSTM of 1997: with truncation the derivative along the memory is exactly 1 over a thousand steps") {
  LSTM1997Options options = forms()[1];
  options.truncated = true;
  const LSTM1997 layer = random_layer(options, 7);
  Tape tape;
  const Var c0 = tape.input(Array({1, 4}, DType::f64));
  const LSTM1997State before{tape.constant(Array({1, 8}, DType::f64)), c0};
  Generator generator(8);
  const Var c = over_time(layer, tape.constant(random_array({1000, 1, 3}, generator)), before).state.c;
  const Gradients gradients = backward(c, {.cotangent = Array({1, 4}, {1, 0, 2, 0})});
  CHECK(same_bits(gradients[c0], Array({1, 4}, {1, 0, 2, 0})));
}

TEST_CASE("LSTM of 1997: cells of one block share their gates and cells of different blocks do not") {
  LSTM1997Options options{.input = 2, .blocks = 2, .cells = 2};
  const LSTM1997 layer = random_layer(options, 9);
  Tape tape;
  const Var x = tape.constant(Array({1, 2}, {0.5, -1}));
  const auto result = layer(x, layer.zero_state(tape, 1));
  const Var h = result.first;
  const LSTM1997State state = result.second;
  const auto shown = [&](std::size_t n) { return 2 * logistic(state.c.value().flat(n)) - 1; };
  const auto gate = [&](std::size_t n) { return h.value().flat(n) / shown(n); };
  CHECK(gate(0) == doctest::Approx(gate(1)).epsilon(1e-12));
  CHECK(gate(2) == doctest::Approx(gate(3)).epsilon(1e-12));
  CHECK(gate(0) != doctest::Approx(gate(2)).epsilon(1e-3));
  // y shows the cells, then the input gates, then the output gates
  CHECK(state.y.value().flat(6) == doctest::Approx(gate(0)).epsilon(1e-12));
  CHECK(state.y.value().flat(7) == doctest::Approx(gate(2)).epsilon(1e-12));
}

TEST_CASE("LSTM of 1997: first weights stay in their range and gate biases are as given") {
  Generator generator(10);
  const LSTM1997 layer({.input = 2, .blocks = 2, .cells = 2, .range = 0.2, .input_gate_bias = {-3, -6}}, generator);
  for (const Parameter& p : {layer.W_x, layer.W_y})
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(std::abs(p.value().flat(i)) <= 0.2);
  CHECK(layer.b.value().flat(4) == -3);
  CHECK(layer.b.value().flat(5) == -6);
  for (const std::size_t i : {0, 1, 2, 3, 6, 7}) CHECK(std::abs(layer.b.value().flat(i)) <= 0.2);
}

TEST_CASE("LSTM of 1997: what is wrong is named") {
  Generator generator(11);
  const auto made = [&](const LSTM1997Options& options) { return failure([&] { LSTM1997(options, generator); }); };
  CHECK(made({.input = 0, .blocks = 1}) == "lstm_1997: option input is 0, expected at least 1");
  CHECK(made({.input = 1, .blocks = 0}) == "lstm_1997: option blocks is 0, expected at least 1");
  CHECK(made({.input = 1, .blocks = 1, .cells = -2}) == "lstm_1997: option cells is -2, expected at least 1");
  CHECK(made({.input = 1, .blocks = 2, .output_gate_bias = {-1}}) ==
        "lstm_1997: option output_gate_bias has 1 values, expected none or one for each of the 2 blocks");

  const LSTM1997 layer({.input = 2, .blocks = 2}, generator);
  Tape tape;
  const Var x = tape.constant(Array({3, 2}));
  CHECK(failure([&] {
          layer(tape.constant(Array({3, 5})), layer.zero_state(tape, 3));
        }).find("expected (batch, 2)") != std::string::npos);
  CHECK(failure([&] { layer(x, layer.zero_state(tape, 1)); }).find("the state y has shape (1, 6), expected (3, 6)") !=
        std::string::npos);
  const LSTM1997State swapped{layer.zero_state(tape, 3).y, layer.zero_state(tape, 3).y};
  CHECK(failure([&] { layer(x, swapped); }).find("the state c has shape (3, 6), expected (3, 2)") != std::string::npos);
}

}  // namespace unroll::test
