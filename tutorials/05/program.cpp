// Chapter 5: training a line, then a network.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <functional>
#include <numbers>

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace unroll;
using course::section;

namespace {

// Eight points near the line y = 2 x - 1, in two columns.
//[ data
const Array xs({8, 1}, {-1.0, -0.7, -0.4, -0.1, 0.3, 0.6, 1.0, 1.5});
const Array ys({8, 1}, {-2.9, -2.5, -1.8, -1.1, -0.5, 0.3, 1.1, 1.9});

// The loss of the line w x + b: a fresh recording each time.
Var line_loss(Tape& tape, const Parameter& w, const Parameter& b) {
  const Var prediction = tape.constant(xs, "x") * tape.use(w) + tape.use(b);
  return mse(prediction.named("prediction"), tape.constant(ys, "y")).named("L");
}
//]

Parameter number(const std::string& name, double value) { return {name, Array({1}, {value})}; }

void gradient_of_a_line() {
  section("The gradient of a line");
  //[ gradient
  const Parameter w = number("w", 0), b = number("b", 0);
  Tape tape;
  const Var loss = line_loss(tape, w, b);
  const Gradients g = backward(loss);

  double dw = 0, db = 0;  // the same by school calculus
  for (std::size_t i = 0; i < 8; ++i) {
    const double error = 0 * xs.flat(i) + 0 - ys.flat(i);
    dw += 2.0 / 8 * error * xs.flat(i);
    db += 2.0 / 8 * error;
  }
  fmt::print("loss {:.4f}\ndw   {:8.4f}  by hand {:8.4f}\ndb   {:8.4f}  by hand {:8.4f}\n", loss.item(), g[w].item(),
             dw, g[b].item(), db);
  //]
}

void one_step() {
  section("One step, of several lengths");
  //[ step
  fmt::print("  rate        w        b     loss\n");
  for (const double rate : {0.0, 0.01, 0.1, 0.5, 1.0, 2.0}) {
    Parameter w = number("w", 0), b = number("b", 0);
    Tape tape;
    const Gradients g = backward(line_loss(tape, w, b));
    w.assign(Array({1}, {w.value().item() - rate * g[w].item()}));  // w <- w - rate * dL/dw
    b.assign(Array({1}, {b.value().item() - rate * g[b].item()}));
    tape.clear();
    fmt::print("{:6.2f} {:8.4f} {:8.4f} {:8.4f}\n", rate, w.value().item(), b.value().item(),
               line_loss(tape, w, b).item());
  }
  //]
}

// What gradient descent leaves behind.
struct Path {
  std::vector<double> w, b, loss;
};

//[ loop
Path descend(double rate, int steps) {
  Parameter w = number("w", 0), b = number("b", 0);
  Path path;
  Tape tape;
  for (int step = 0; step <= steps; ++step) {
    tape.clear();                            // 1. forget the last recording
    const Var loss = line_loss(tape, w, b);  // 2. record
    const Gradients g = backward(loss);      // 3. go back
    path.w.push_back(w.value().item());
    path.b.push_back(b.value().item());
    path.loss.push_back(loss.item());
    w.mutable_value().set_flat(0, w.value().item() - rate * g[w].item());  // 4. step
    b.mutable_value().set_flat(0, b.value().item() - rate * g[b].item());
  }
  return path;
}
//]

// Ellipses around the lowest point, on each of which the loss has one value: the loss is a quadratic function of w and b.
PlotSeries contours(const std::vector<double>& levels) {
  double x = 0, xx = 0, y = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const double u = xs.flat(i), v = ys.flat(i);
    x += u / 8, xx += u * u / 8, y += v / 8, xy += u * v / 8, yy += v * v / 8;
  }
  const double w = (xy - x * y) / (xx - x * x), b = y - w * x;  // least squares
  const double lowest = yy - w * xy - b * y;
  PlotSeries series{fmt::format("loss = {:.1f}", fmt::join(levels, ", ")), {}, {}, true, false, 0};
  for (const double level : levels) {
    for (int k = 0; k <= 120; ++k) {
      const double angle = 2 * std::numbers::pi * k / 120, dw = std::cos(angle), db = std::sin(angle);
      const double radius = std::sqrt((level - lowest) / (xx * dw * dw + 2 * x * dw * db + db * db));
      series.xs.push_back(w + radius * dw);
      series.ys.push_back(b + radius * db);
    }
    series.xs.push_back(w);  // a gap before the next one
    series.ys.push_back(std::nan(""));
  }
  return series;
}

void learning_rates() {
  section("Downhill");
  const Path good = descend(0.3, 20);
  fmt::print("step        w        b     loss\n");
  for (const std::size_t step : {0u, 1u, 2u, 3u, 5u, 10u, 20u})
    fmt::print("{:4} {:8.4f} {:8.4f} {:8.4f}\n", step, good.w[step], good.b[step], good.loss[step]);

  section("How far?");
  //[ rates
  fmt::print("  rate   loss after 0, 1, 2, 5, 20 and 50 steps\n");
  for (const double rate : {0.003, 0.03, 0.3, 0.8, 0.9, 1.0, 1.5}) {
    const Path path = descend(rate, 50);
    fmt::print("{:6.3f}", rate);
    for (const std::size_t step : {0u, 1u, 2u, 5u, 20u, 50u}) fmt::print("  {:9.3g}", path.loss[step]);
    fmt::print("\n");
  }
  //]
  Plot plot{.title = "Gradient descent on the loss of a line",
            .x_label = "w",
            .y_label = "b",
            .y_range = std::pair{-2.5, 0.5}};
  plot.series = {contours({0.1, 0.5, 1.5})};
  for (const auto& [rate, steps, style] : {std::tuple{0.03, 20, 1}, std::tuple{0.3, 20, 2}, std::tuple{0.9, 5, 3}}) {
    const Path path = descend(rate, steps);
    plot.series.push_back({fmt::format("rate {}, {} steps", rate, steps), path.w, path.b, true, true, style});
  }
  draw(plot, "descent.svg");
}

void no_zero_grad() {
  section("Gradients are a value");
  //[ value
  Parameter w = number("w", 0), b = number("b", 0);
  Tape tape;
  const Var loss = line_loss(tape, w, b);
  const Gradients first = backward(loss), second = backward(loss);
  fmt::print("dw: {:.4f} the first time, {:.4f} the second time\n", first[w].item(), second[w].item());
  //]

  section("An old recording");
  //[ old
  w.mutable_value().set_flat(0, 1);  // a step, and the tape still holds what was computed before it
  try {
    backward(loss);
  } catch (const GradientError& error) { fmt::print("{}\n", error.what()); }
  //]
}

// ---- a network

//[ network
// XOR: the output is 1 where the two inputs differ. No line separates the two kinds.
const Array corners({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1});
const Array differ({4, 1}, {0, 1, 1, 0});

struct Network {
  Parameter W1, b1, W2, b2;
  std::vector<Parameter> parameters() const { return {W1, b1, W2, b2}; }

  Var loss(Tape& tape) const {
    const Var x = tape.constant(corners, "x");
    const Var h = tanh(matmul(x, tape.use(W1)) + tape.use(b1)).named("h");
    const Var y = (matmul(h, tape.use(W2)) + tape.use(b2)).named("y");
    return mse(y, tape.constant(differ, "target")).named("L");
  }
};

Network network(std::int64_t hidden, double deviation, std::uint64_t seed) {
  Generator generator(seed);
  return {{"W1", normal({2, hidden}, deviation, generator, DType::f64)},
          {"b1", Array({hidden}, DType::f64)},
          {"W2", normal({hidden, 1}, deviation, generator, DType::f64)},
          {"b2", Array({1}, DType::f64)}};
}

std::vector<double> train(const std::function<Var(Tape&)>& record, Optimizer& optimizer, int steps) {
  std::vector<double> losses;
  Tape tape;
  for (int step = 0; step <= steps; ++step) {
    tape.clear();
    const Var loss = record(tape);
    losses.push_back(loss.item());
    optimizer.step(backward(loss));
  }
  return losses;
}
//]

void optimizers() {
  section("The same step from the library");
  //[ sgd
  const Parameter w = number("w", 0), b = number("b", 0);
  SGD sgd({w, b}, {.learning_rate = 0.3});
  Tape tape;
  for (int step = 0; step < 5; ++step) {
    tape.clear();
    sgd.step(backward(line_loss(tape, w, b)));
  }
  const Path by_hand = descend(0.3, 5);
  fmt::print("after 5 steps: SGD w = {:.6f}, by hand w = {:.6f}\n", w.value().item(), by_hand.w[5]);
  //]
}

void xor_network() {
  section("XOR");
  //[ xor
  const auto run = [&](const std::string& name, const std::function<Var(Tape&)>& record, Optimizer&& optimizer) {
    return std::pair{name, train(record, optimizer, 200)};
  };
  const auto loss_of = [](const Network& net) { return [&net](Tape& tape) { return net.loss(tape); }; };

  const Parameter W("W", Array({2, 1}, {0.3, -0.2})), b("b", Array({1}, {0}));
  const auto linear = [&](Tape& tape) {
    return mse(matmul(tape.constant(corners), tape.use(W)) + tape.use(b), tape.constant(differ));
  };
  const Network by_sgd = network(4, 1, 1), by_adam = network(4, 1, 1), zero = network(4, 0, 1);
  const std::vector runs = {
      run("no hidden layer, SGD", linear, SGD({W, b}, {.learning_rate = 0.1})),
      run("4 hidden, SGD", loss_of(by_sgd), SGD(by_sgd.parameters(), {.learning_rate = 0.1})),
      run("4 hidden, Adam", loss_of(by_adam), Adam(by_adam.parameters(), {.learning_rate = 0.02})),
      run("4 hidden, zeros, SGD", loss_of(zero), SGD(zero.parameters(), {.learning_rate = 0.1})),
  };
  //]
  Plot plot{.title = "Learning XOR", .x_label = "step", .y_label = "loss"};
  fmt::print("loss after steps       0       30      100      200\n");
  for (const auto& [name, losses] : runs) {
    fmt::print("{:<20}", name);
    for (const std::size_t step : {0u, 30u, 100u, 200u}) fmt::print(" {:7.4f} ", losses[step]);
    fmt::print("\n");
    PlotSeries series{name, {}, losses};
    for (std::size_t step = 0; step < losses.size(); ++step) series.xs.push_back(static_cast<double>(step));
    plot.series.push_back(series);
  }
  draw(plot, "xor.svg");

  section("What it says now");
  //[ says
  Tape tape;
  const Var h = tanh(matmul(tape.constant(corners), tape.use(by_adam.W1)) + tape.use(by_adam.b1));
  const Var y = matmul(h, tape.use(by_adam.W2)) + tape.use(by_adam.b2);
  for (std::int64_t row = 0; row < 4; ++row)
    fmt::print("{} xor {}: {:7.4f}\n", corners.at({row, 0}), corners.at({row, 1}), y.value().at({row, 0}));
  //]
}

void symmetry() {
  section("Equal weights stay equal");
  //[ symmetry
  for (const double start : {0.0, 0.5}) {
    Network net = network(4, 0, 1);
    for (Parameter p : {net.W1, net.W2})
      for (std::size_t i = 0; i < p.value().size(); ++i) p.mutable_value().set_flat(i, start);
    SGD sgd(net.parameters(), {.learning_rate = 0.1});
    const double loss = train([&](Tape& tape) { return net.loss(tape); }, sgd, 1000).back();
    fmt::print("all weights {}: loss {:.4f} after 1000 steps\n  W1 {}\n  W2 {}\n  b2 {}\n", start, loss,
               to_string(net.W1.value(), 3), to_string(net.W2.value(), 3), to_string(net.b2.value(), 3));
  }
  //]
}

void drawn() {
  const Network net = network(4, 1, 1);
  //[ drawn
  Tape tape;
  const Var loss = net.loss(tape);
  const Gradients g = backward(loss, {.keep = Keep::all});
  render(tape, "step.svg", {.parameters = ParameterView::nodes, .gradients = &g, .title = "One training step"});
  //]
  section("One step as a program");
  Tape recorded;
  backward(net.loss(recorded), {.create_graph = true});
  fmt::print("{}", equations(recorded));
}

}  // namespace

int main() {
  gradient_of_a_line();
  one_step();
  learning_rates();
  no_zero_grad();
  optimizers();
  xor_network();
  symmetry();
  drawn();
}
