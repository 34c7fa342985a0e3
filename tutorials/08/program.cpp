// 8 · Why it vanishes and explodes
#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <cmath>

#include <fmt/format.h>

using namespace unroll;
using course::section;
using kernels::singular_values;
using kernels::spectral_radius;

namespace {

// ---- one weight

//[ scalar
// A linear RNN with one unit, h_t = x_t + w h_(t-1). Gives dh_T/dx_t for t = 1 ... T, from the backward pass.
std::vector<double> by_every_input(double w, std::int64_t T) {
  Tape tape;
  const Var weight = tape.constant(Array::scalar(w), "w");
  std::vector<Var> xs;
  Var h = tape.constant(Array::scalar(0), "h");
  for (std::int64_t t = 1; t <= T; ++t) {
    const Step step(tape, t);
    xs.push_back(tape.input(Array::scalar(0.5), "x"));
    h = (xs.back() + weight * h).named("h");
  }
  const Gradients gradients = backward(h);
  std::vector<double> result;
  for (const Var& x : xs) result.push_back(gradients[x].item());
  return result;
}
//]

void one_weight() {
  section("One weight, four times");
  //[ four times
  fmt::print("    w   dh_5/dx_1      w^4      difference   dh_50/dx_1\n");
  for (const double w : {0.5, 0.9, 1.0, 1.1, 1.5}) {
    const double measured = by_every_input(w, 5)[0], power = w * w * w * w;
    fmt::print("{:5.1f}  {:10.4f} {:8.4f}   {:13.0e}   {:10.3g}\n", w, measured, power, std::abs(measured - power),
               by_every_input(w, 50)[0]);
  }
  //]
  Plot plot{.title = "How much of each input is left in h_50",
            .x_label = "time step t",
            .y_label = "dh_50/dx_t",
            .log_y = true};
  for (const double w : {1.5, 1.1, 1.0, 0.9, 0.5}) {
    PlotSeries series;
    series.label = fmt::format("w = {}", w);
    series.ys = by_every_input(w, 50);
    for (std::size_t t = 1; t <= 50; ++t) series.xs.push_back(static_cast<double>(t));
    plot.series.push_back(series);
  }
  draw(plot, "powers.svg");
}

// ---- a matrix

//[ matrix
// dh_k/dh_0 of h_t = h_(t-1) W, as a matrix: row i says where unit i of h_0 has gone.
Array after_steps(const Array& W, std::int64_t k) {
  Tape tape;
  const Var weight = tape.constant(W, "W");
  const Var h_0 = tape.input(Array({1, W.shape()[0]}, DType::f64), "h");
  Var h = h_0;
  for (std::int64_t t = 1; t <= k; ++t) {
    const Step step(tape, t);
    h = matmul(h, weight).named("h");
  }
  const Array J = jacobian(h, h_0);  // (1, unit of h_k, 1, unit of h_0)
  return transpose(tape.constant(J.reshaped(W.shape()))).value().copy();
}

double size(const Array& matrix) { return singular_values(matrix)[0]; }  // the most that it stretches any row
//]

Array scaled(const Array& matrix, double factor) {
  Array result = matrix.copy();
  for (std::size_t i = 0; i < result.size(); ++i) result.set_flat(i, factor * matrix.flat(i));
  return result;
}

void eigenvalues() {
  section("Powers of a matrix");
  //[ eigenvalues
  const Array W({2, 2}, {0.5, 0.4, 0.3, 0.6});  // eigenvalues 0.9 and 0.2
  fmt::print("spectral radius of W: {:.3f}\n\n", spectral_radius(W));
  fmt::print("  k     |W^k|     0.9^k   their quotient   |(1.2 W)^k|\n");
  for (const std::int64_t k : {1, 2, 5, 10, 20, 40})
    fmt::print("{:>3}  {:8.5f}  {:8.5f}   {:14.4f}   {:11.3f}\n", k, size(after_steps(W, k)),
               std::pow(0.9, static_cast<double>(k)), size(after_steps(W, k)) / std::pow(0.9, static_cast<double>(k)),
               size(after_steps(scaled(W, 1.2), k)));
  //]
}

void not_normal() {
  section("Up first, then down");
  //[ transient
  const Array plain({2, 2}, {0.8, 0.0, 0.0, 0.8}), skewed({2, 2}, {0.8, 2.0, 0.0, 0.8});
  for (const Array& W : {plain, skewed})
    fmt::print("W = {}: spectral radius {:.2f}, largest singular value {:.2f}\n", to_string(W), spectral_radius(W),
               singular_values(W)[0]);
  //]
  fmt::print("\n  k   |plain^k|  |skewed^k|\n");
  for (const std::int64_t k : {1, 2, 4, 8, 16, 32, 64})
    fmt::print("{:>3}   {:9.2g}  {:10.2g}\n", k, size(after_steps(plain, k)), size(after_steps(skewed, k)));
  Plot plot{.title = "Two matrices with the eigenvalues 0.8 and 0.8",
            .x_label = "steps back k",
            .y_label = "|W^k|",
            .log_y = true};
  for (const auto& [label, W] : {std::pair{"plain", plain}, {"skewed", skewed}}) {
    PlotSeries series;
    series.label = label;
    for (std::int64_t k = 1; k <= 40; ++k) {
      series.xs.push_back(static_cast<double>(k));
      series.ys.push_back(size(after_steps(W, k)));
    }
    plot.series.push_back(series);
  }
  draw(plot, "transient.svg");
}

// ---- tanh

//[ units
constexpr std::int64_t units = 8, T = 40;

// An RNN whose W_h stretches every row by the same factor: all singular values, and all |eigenvalues|, are `stretch`.
RNN network(double stretch, Activation activation = Activation::tanh) {
  Generator generator(2);
  RNN rnn({.input = 1, .hidden = units, .activation = activation, .dtype = DType::f64}, generator);
  rnn.W_h.assign(scaled(orthogonal({units, units}, generator, DType::f64), stretch));
  return rnn;
}

Array noise(std::int64_t steps, std::int64_t batch, std::uint64_t seed) {
  Generator generator(seed);
  return normal({steps, batch, 1}, 1, generator, DType::f64);
}
//]

// |dh_T/dh_(T-k)| for k = 1 ... T - 1: of the recorded network, and of the product of W_h diag(1 - h^2) written out.
struct Backwards {
  std::vector<double> recorded, by_hand, formula;  // the formula W^k
};

//[ product
Backwards look_back(const RNN& rnn) {
  Tape tape;
  const auto [hs, last] = over_time(rnn, tape.constant(noise(T, 1, 3), "xs"));
  const Array W = rnn.W_h.value();
  Array product({units, units}, DType::f64), power({units, units}, DType::f64);  // begin as the identity
  for (std::int64_t i = 0; i < units; ++i) {
    product.set_flat(static_cast<std::size_t>(i * units + i), 1);
    power.set_flat(static_cast<std::size_t>(i * units + i), 1);
  }
  Backwards result;
  for (std::int64_t k = 1; k < T; ++k) {
    const Var h = hs[static_cast<std::size_t>(T - k)];  // the step that is passed now, the last one first
    const Var slopes = 1 - square(h);                   // (1, units)
    const Var one_step = tape.constant(W) * slopes;     // W diag(1 - h^2)
    product = matmul(one_step, tape.constant(product)).value().copy();
    power = matmul(tape.constant(W), tape.constant(power)).value().copy();
    result.by_hand.push_back(size(product));
    result.formula.push_back(size(power));
    result.recorded.push_back(
        size(jacobian(hs.back(), hs[static_cast<std::size_t>(T - k - 1)]).reshaped({units, units})));
  }
  return result;
}
//]

void with_tanh() {
  section("What W^k leaves out");
  //[ with tanh
  const Backwards back = look_back(network(1.1));
  fmt::print("  k     |W^k|   |dh_T/dh_(T-k)|   |product of W diag(1 - h^2)|\n");
  for (const std::size_t k : {1u, 2u, 5u, 10u, 20u, 39u})
    fmt::print("{:>3}  {:8.3f}  {:16.3g}   {:28.3g}\n", k, back.formula[k - 1], back.recorded[k - 1],
               back.by_hand[k - 1]);
  //]
  Plot plot{.title = "W^k against the truth, |W| = 1.1", .x_label = "steps back k", .y_label = "norm", .log_y = true};
  for (const auto& [label, ys] : {std::pair{"W^k", back.formula}, {"recorded", back.recorded}}) {
    PlotSeries series;
    series.label = label;
    series.ys = ys;
    for (std::size_t k = 1; k <= ys.size(); ++k) series.xs.push_back(static_cast<double>(k));
    plot.series.push_back(series);
  }
  draw(plot, "tanh.svg");
}

void bound() {
  section("Pascanu's bound");
  //[ bound
  fmt::print("largest singular value   must vanish   |dL/dh_1| / |dL/dh_T|\n");
  for (const double stretch : {0.7, 0.95, 1.1, 1.5, 3.0}) {
    const RNN rnn = network(stretch);
    Tape tape;
    const Var h_T = over_time(rnn, tape.constant(noise(T, 1, 3), "xs")).outputs.back();
    const GradientFlow flow = gradient_flow(sum(h_T));
    const LayerFlow& layer = flow.layers[0];
    fmt::print("{:22.2f}   {:>11}   {:21.1e}\n", layer.bound->sigma_max, layer.bound->must_vanish() ? "yes" : "-",
               layer.gradient_norm_h.front() / layer.gradient_norm_h.back());
  }
  //]
}

// ---- explosion, and what clipping does

//[ echo
// An RNN and its readout, which are to say at step T what they saw at step 1; in between comes noise.
struct Echo {
  RNN rnn;
  Generator generator{4};
  Linear readout{{.input = units, .output = 1, .dtype = DType::f64}, generator};

  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all = rnn.parameters();
    all.insert(all.end(), readout.parameters().begin(), readout.parameters().end());
    return all;
  }
  Var loss(Tape& tape, std::int64_t steps, std::int64_t batch, std::uint64_t seed) const {
    const Array xs = noise(steps, batch, seed);
    Array first({batch, 1}, DType::f64);
    for (std::size_t i = 0; i < first.size(); ++i) first.set_flat(i, xs.flat(i));
    const Var h_T = over_time(rnn, tape.constant(xs, "xs")).outputs.back();
    return mse(readout(h_T), tape.constant(first, "target")).named("L");
  }
};
//]

//[ train
void train(const Echo& echo, std::int64_t steps, double clip) {
  const auto name = fmt::format("T = {:>2}, clip {}", steps, clip > 0 ? fmt::format("{}", clip) : "-");
  SGD sgd(echo.parameters(), {.learning_rate = 0.05});
  const auto loss = [&](Tape& tape, std::int64_t update) {
    return echo.loss(tape, steps, 16, 100 + static_cast<std::uint64_t>(update));
  };
  try {
    fit(loss, sgd, {.updates = 500, .clip = clip});
    Tape tape;
    fmt::print("{}: error on new sequences {:.3f}\n", name, echo.loss(tape, steps, 1000, 1).item());
  } catch (const NonFiniteError& error) { fmt::print("{}: {}\n", name, error.what()); }
}
//]

void explosion() {
  section("Infinity, with its address");
  //[ explosion
  for (const double clip : {0.0, 1.0}) train({network(1.05, Activation::relu)}, T, clip);
  //]
}

// All gradients one after the other.
std::vector<double> in_a_row(const Gradients& gradients, const std::vector<Parameter>& parameters) {
  std::vector<double> all;
  for (const Parameter& p : parameters)
    for (std::size_t i = 0; i < p.size(); ++i) all.push_back(gradients[p].flat(i));
  return all;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  return ab / std::sqrt(aa * bb);
}

void clipping() {
  section("What clipping does");
  //[ clipping
  const Echo echo{network(1.2, Activation::relu)};
  Tape tape;
  const Var loss = echo.loss(tape, T, 16, 1);
  Gradients by_norm = backward(loss), by_value = backward(loss);
  const std::vector<double> before = in_a_row(by_norm, echo.parameters());
  clip_by_norm(by_norm, 1);
  clip_by_value(by_value, 1);
  fmt::print("gradient                 norm   cosine with the gradient\n");
  fmt::print("as it was      {:14.5g}   {:.4f}\n", gradient_norm(backward(loss)), 1.0);
  fmt::print("clip_by_norm   {:14.5g}   {:.4f}\n", gradient_norm(by_norm),
             cosine(before, in_a_row(by_norm, echo.parameters())));
  fmt::print("clip_by_value  {:14.5g}   {:.4f}\n", gradient_norm(by_value),
             cosine(before, in_a_row(by_value, echo.parameters())));
  //]
}

void no_cure() {
  section("What clipping does not do");
  //[ share
  const Echo echo{network(0.7)};
  Tape tape;
  const Gradients g = backward(echo.loss(tape, T, 16, 1), {.by_step = {echo.rnn.W_h}});
  double first_ten = 0, last_ten = 0;
  for (const std::int64_t t : g.contribution_steps(echo.rnn.W_h))
    if (t <= 10)
      first_ten += norm(g.contribution(echo.rnn.W_h, t));
    else if (t > T - 10)
      last_ten += norm(g.contribution(echo.rnn.W_h, t));
  fmt::print("|contributions to dL/dW_h|: steps 1-10 {:.1e}, steps 31-40 {:.1e}\n\n", first_ten, last_ten);
  //]
  //[ no cure
  for (const std::int64_t steps : {std::int64_t{3}, T})
    for (const double clip : {0.0, 1.0}) train({network(0.7)}, steps, clip);
  Tape numbers;
  fmt::print("always saying 0: error {:.3f}\n", mean(square(numbers.constant(noise(1, 1000, 1)))).item());
  //]
}

}  // namespace

int main() {
  one_weight();
  eigenvalues();
  not_normal();
  with_tanh();
  bound();
  explosion();
  clipping();
  no_cure();
}
