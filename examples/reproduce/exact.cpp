#include <unroll/examples/reproduce/exact.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/examples/reproduce/network_1997.hpp>
#include <unroll/examples/reproduce/sequences.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

Row row(std::string what, double published, double here, double tolerance, std::string note = {}) {
  return {std::move(what), published, here, std::abs(here - published) <= tolerance, std::move(note)};
}

// ---- the adding problem, always answered with 1

// The integral of (u + v - 1)^2 over the unit square, by the Gauss-Legendre rule of two points an axis, which is exact for it.
double adding_baseline_integral() {
  const double low = 0.5 - 0.5 / std::sqrt(3.0), high = 0.5 + 0.5 / std::sqrt(3.0);
  Tape tape;
  const Var sums = tape.constant(Array({4, 1}, {low + low, low + high, high + low, high + high}));
  return mse(tape.constant(Array::filled({4, 1}, 1, DType::f64)), sums).item();
}

// The mean squared error over drawn sequences, and its standard error.
std::pair<double, double> adding_baseline_drawn(std::int64_t samples, Generator& generator) {
  const Array target = adding_problem(10, samples, generator).target.as(DType::f64);
  Tape tape;
  const Var squares = square(tape.constant(target) - 1.0);
  const Var average = mean(squares);
  const double variance = mean(square(squares - average)).item();
  return {average.item(), std::sqrt(variance / static_cast<double>(samples))};
}

// ---- the copy task without memory: certain of every blank, and a guess among eight at the end

double copy_baseline(std::int64_t T, Generator& generator) {
  const CopySequences sequences = copy_task(T, 1, generator);
  Array logits({T + 20, 10}, DType::f64);
  for (std::int64_t t = 0; t < T + 20; ++t)
    for (std::int64_t symbol = 0; symbol < 10; ++symbol) {
      const bool possible = t < T + 10 ? symbol == 8 : symbol < 8;
      if (!possible) logits.set_flat(static_cast<std::size_t>(t * 10 + symbol), -1000);
    }
  Tape tape;
  return cross_entropy(tape.constant(logits), sequences.targets).item();
}

// ---- derivatives along time

// dh_5/dx_1 of h_t = x_t + w h_(t-1).
double through_five_steps(double w) {
  const Parameter weight("w", Array({1, 1}, {w}));
  const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
    const Var next = x + matmul(h, x.tape().use(weight));
    return {next, next};
  };
  Tape tape;
  const Var xs = tape.input(Array({5, 1, 1}, DType::f64));
  const Var h = over_time(cell, xs, tape.constant(Array({1, 1}, DType::f64))).state;
  return backward(h)[xs].at({0, 0, 0});
}

// dc_T/dc_0 of an LSTM whose weights are zero, so that its gates are what their biases make of them.
double along_the_cell(std::int64_t T, double forget_bias) {
  Generator generator(1);
  const LSTM lstm({.input = 1, .hidden = 1, .forget_bias = forget_bias, .dtype = DType::f64}, generator);
  for (Parameter p : {lstm.W_x, lstm.W_h}) p.assign(Array(p.shape(), DType::f64));
  Tape tape;
  const Var c0 = tape.input(Array({1, 1}, DType::f64));
  const LSTMState before{tape.constant(Array({1, 1}, DType::f64)), c0};
  return backward(over_time(lstm, tape.constant(Array({T, 1, 1}, DType::f64)), before).state.c)[c0].item();
}

void add_weight_counts(Report& report, Generator& generator) {
  struct Counted {
    const char* what;
    double published;
    Network1997Options network;
  };
  const std::array<Counted, 6> counts{{
      {"weights, embedded Reber grammar, 4 blocks of 1 cell", 264, embedded_reber_1997(4, 1)},
      {"weights, embedded Reber grammar, 3 blocks of 2 cells", 276, embedded_reber_1997(3, 2)},
      {"weights, two sequences", 102, two_sequences_1997()},
      {"weights, adding problem", 93, adding_1997()},
      {"weights, temporal order, 4 classes", 156, temporal_order_1997(2)},
      {"weights, temporal order, 8 classes", 308, temporal_order_1997(3)},
  }};
  for (const Counted& c : counts)
    report.rows.push_back(
        row(c.what, c.published, static_cast<double>(Network1997(c.network, generator).parameter_count()), 0));
}

}  // namespace

Report exact(const ExactOptions& o) {
  Report report{.name = "exact",
                .title = "Numbers that papers state exactly",
                .source =
                    "Hochreiter and Schmidhuber 1997 (weights); Arjovsky, Shah and Bengio 2016 (baselines); arithmetic "
                    "(derivatives)",
                .setting = {"Every number is computed by this library: losses and derivatives on a tape, weights "
                            "counted in the network."},
                .criterion = "equal to rounding (relative 1e-12); drawn sequences: within four standard errors"};
  Generator generator(o.seed);
  o.progress("baselines", 0);
  report.rows.push_back(
      row("adding problem, always 1: MSE, exact integral", 1.0 / 6, adding_baseline_integral(), 1e-13));
  const auto [drawn, error] = adding_baseline_drawn(o.samples, generator);
  report.rows.push_back(row("adding problem, always 1: MSE, drawn sequences", 1.0 / 6, drawn, 4 * error,
                            fmt::format("{} sequences, standard error {:.5f}", o.samples, error)));
  for (const std::int64_t T : {100, 1000}) {
    const double published = 10 * std::log(8.0) / static_cast<double>(T + 20);
    report.rows.push_back(row(fmt::format("copy task without memory, T = {}: cross-entropy 10 ln 8 / (T + 20)", T),
                              published, copy_baseline(T, generator), 1e-12 * published));
  }
  o.progress("weights", 0.5);
  add_weight_counts(report, generator);
  o.progress("derivatives", 0.75);
  for (const double w : {0.5, 3.0}) {
    const double published = w * w * w * w;
    report.rows.push_back(row(fmt::format("linear RNN, w = {}: dh_5/dx_1 = w^4", w), published, through_five_steps(w),
                              1e-12 * published));
  }
  constexpr std::int64_t T = 100;
  const double half = std::ldexp(1.0, -static_cast<int>(T)), open = std::pow(1 / (1 + std::exp(-1.0)), T);
  report.rows.push_back(
      row("LSTM, zero weights, forget bias 0: dc_100/dc_0 = 0.5^100", half, along_the_cell(T, 0), 1e-12 * half));
  report.rows.push_back(
      row("LSTM, zero weights, forget bias 1: dc_100/dc_0 = 0.7311^100", open, along_the_cell(T, 1), 1e-12 * open));
  o.progress("done", 1);
  return report;
}

}  // namespace unroll::reproduce
