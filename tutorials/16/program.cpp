// Chapter 16: second derivatives, and the backward pass as a graph.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <functional>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

void more_tape() {
  section("The backward pass is more tape");
  //[ tape
  Tape tape;
  const Var x = tape.input(Array::scalar(0.5), "x");
  const Var y = tanh(x).named("y");
  fmt::print("after y = tanh(x): {} nodes\n", tape.size());
  const Gradients g = backward(y, {.create_graph = true});
  fmt::print("after backward:    {} nodes\n\n", tape.size());
  fmt::print("{}", listing(tape));
  //]

  section("The gradient of the gradient");
  //[ second
  const Var slope = g.var(x);            // dy/dx, as a node
  const Gradients g2 = backward(slope);  // and its derivative
  const auto first = [](double at) { return 1 - std::tanh(at) * std::tanh(at); };
  const double h = 1e-4;
  fmt::print("dy/dx    {:9.6f}   1 - y^2          {:9.6f}\n", slope.item(), first(0.5));
  fmt::print("d2y/dx2  {:9.6f}   -2 y (1 - y^2)   {:9.6f}   by differences {:9.6f}\n", g2[x].item(),
             -2 * y.item() * first(0.5), (first(0.5 + h) - first(0.5 - h)) / (2 * h));
  //]

  section("Without create_graph");
  //[ without
  const Gradients numbers = backward(y);
  try {
    numbers.var(x);
  } catch (const Error& error) { fmt::print("{}\n\n", error.what()); }
  try {
    backward(tape.constant(numbers[x].copy()));  // the numbers, put back on the tape
  } catch (const Error& error) { fmt::print("{}\n", error.what()); }
  //]
}

void curves() {
  //[ curves
  Plot plot{.title = "tanh and its derivatives", .x_label = "x", .y_label = ""};
  for (const char* name : {"tanh x", "first derivative", "second derivative", "third derivative"})
    plot.series.push_back({name, {}, {}, true, false});
  for (double at = -4; at <= 4.001; at += 0.05) {
    Tape tape;
    const Var x = tape.input(Array::scalar(at));
    Var d = tanh(x);
    for (PlotSeries& series : plot.series) {
      series.xs.push_back(at);
      series.ys.push_back(d.item());
      d = backward(d, {.create_graph = true}).var(x);  // the derivative of what we had
    }
  }
  draw(plot, "derivatives.svg");
  //]
}

//[ f
// A function of two numbers with a valley.
Var f(Var x) {
  const Var a = select(x, 0, 0), b = select(x, 0, 1);
  return exp(a) + exp(b) + square(a + b) - 2.0 * b;
}
//]

void hessian() {
  section("The Hessian, row by row");
  //[ hessian
  Tape tape;
  const Var x = tape.input(Array({2}, {1, 0.5}), "x");
  const Var gradient = backward(f(x), {.create_graph = true}).var(x);
  fmt::print("gradient  {}\n", to_string(gradient.value()));
  for (std::int64_t row = 0; row < 2; ++row)  // one backward pass for each element of the gradient
    fmt::print("row {}     {}\n", row, to_string(backward(select(gradient, 0, row))[x]));
  //]
  fmt::print("by hand   [[e + 2, 2], [2, sqrt(e) + 2]] = [[{:.3f}, 2], [2, {:.3f}]]\n", std::exp(1) + 2,
             std::exp(0.5) + 2);
}

// ---- a network with a few weights

// Points on a sine; a network with five hidden units in one vector of weights, so that the Hessian is one matrix.
Var network_loss(Var weights) {
  Tape& tape = weights.tape();
  const Var x = tape.constant(Array({4, 1}, {-1.5, -0.5, 0.5, 1.5})), y = tape.constant(sin(x).value().copy());
  const Var W1 = reshape(slice(weights, 0, 0, 5), {1, 5}), b1 = slice(weights, 0, 5, 10),
            W2 = reshape(slice(weights, 0, 10, 15), {5, 1}), b2 = slice(weights, 0, 15, 16);
  return mse(matmul(tanh(matmul(x, W1) + b1), W2) + b2, y);
}

void hessian_vector() {
  section("Three ways to H v");
  Generator generator(3);
  const Array w = normal({16}, 0.7, generator, DType::f64), v = normal({16}, 1, generator, DType::f64);
  //[ hvp
  Tape tape;
  const Var weights = tape.input(w, "w");
  const Var loss = network_loss(weights);
  const Var gradient = backward(loss, {.create_graph = true}).var(weights);

  // the gradient of the number g . v, with v held fixed
  const Gradients twice = backward(sum(gradient * tape.constant(v)));
  // forward mode through the recorded gradient: how g changes along v
  const Var along = jvp(gradient, {{weights, v}});
  // differences of two gradients
  const auto gradient_at = [&](double step) {
    Tape other;
    Array moved = w.copy();
    for (std::size_t i = 0; i < 16; ++i) moved.set_flat(i, w.flat(i) + step * v.flat(i));
    const Var there = other.input(moved);
    return backward(network_loss(there))[there].copy();
  };
  const double h = 1e-4;
  const Array plus = gradient_at(h), minus = gradient_at(-h);
  //]
  fmt::print("weight   backward of g . v   jvp of g     differences\n");
  for (std::size_t i : {0u, 5u, 10u, 15u})
    fmt::print("{:6} {:19.6f} {:12.6f} {:14.6f}\n", i, twice[weights].flat(i), along.value().flat(i),
               (plus.flat(i) - minus.flat(i)) / (2 * h));
}

// ---- curvature and the learning rate

//[ line
// The line of chapter 5: its loss is a quadratic function of (w, b).
Var line_loss(Var wb) {
  Tape& tape = wb.tape();
  const Var x = tape.constant(Array({8}, {-1.0, -0.7, -0.4, -0.1, 0.3, 0.6, 1.0, 1.5}));
  const Var y = tape.constant(Array({8}, {-2.9, -2.5, -1.8, -1.1, -0.5, 0.3, 1.1, 1.9}));
  return mean(square(x * select(wb, 0, 0) + select(wb, 0, 1) - y));
}
//]

using Function = std::function<Var(Var)>;

struct GradientAndProduct {
  Array g, Hv;
};

//[ both
GradientAndProduct at(const Function& function, const Array& x, const Array& v) {
  Tape tape;
  const Var X = tape.input(x);
  const Var g = backward(function(X), {.create_graph = true}).var(X);
  return {g.value().copy(), backward(sum(g * tape.constant(v)))[X].copy()};
}
//]

double dot(const Array& a, const Array& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result += a.flat(i) * b.flat(i);
  return result;
}

Array minus(const Array& a, double factor, const Array& b) {
  Array result = a.copy();
  for (std::size_t i = 0; i < a.size(); ++i) result.set_flat(i, a.flat(i) - factor * b.flat(i));
  return result;
}

double value(const Function& function, const Array& x) {
  Tape tape;
  return function(tape.constant(x)).item();
}

double descend(double rate, int steps) {
  Array wb({2}, {0, 0});
  for (int step = 0; step < steps; ++step) wb = minus(wb, rate, at(line_loss, wb, wb).g);
  return value(line_loss, wb);
}

void curvature() {
  section("How steep is the valley?");
  //[ power
  Array v({2}, {1, 1});
  double largest = 0;
  for (int i = 0; i < 100; ++i) {  // H pulls v towards the direction in which it stretches most
    const Array Hv = at(line_loss, Array({2}, {0, 0}), v).Hv;
    largest = norm(Hv);
    for (std::size_t k = 0; k < 2; ++k) v.set_flat(k, Hv.flat(k) / largest);
  }
  fmt::print("largest curvature {:.4f}, so the largest stable learning rate is 2 / {:.4f} = {:.4f}\n\n", largest,
             largest, 2 / largest);
  fmt::print("  rate   loss after 500 steps\n");
  for (const double part : {0.9, 0.99, 1.01, 1.1})
    fmt::print("{:6.4f}   {:.3g}\n", part * 2 / largest, descend(part * 2 / largest, 500));
  //]

  section("The best length of one step");
  //[ along
  const Array start({2}, {0, 0});
  const Array g = at(line_loss, start, start).g;
  const Array Hg = at(line_loss, start, g).Hv;
  const double best = dot(g, g) / dot(g, Hg);
  fmt::print("curvature along the gradient {:.4f}, best rate {:.4f}\n\n  rate   loss after one step\n",
             dot(g, Hg) / dot(g, g), best);
  for (const double factor : {0.5, 0.9, 1.0, 1.1, 2.0})
    fmt::print("{:6.4f}   {:.6f}\n", factor * best, value(line_loss, minus(start, factor * best, g)));
  fmt::print("     0   {:.6f}\n", value(line_loss, start));
  //]
}

void newton() {
  section("Newton's step");
  //[ newton
  Array x({2}, {1, 0.5}), slow = x;
  fmt::print("step   |gradient|, Newton   |gradient|, descent\n");
  Plot plot{.title = "Two ways down", .x_label = "step", .y_label = "|gradient|", .log_y = true};
  plot.series = {{.label = "Newton", .xs = {}, .ys = {}}, {.label = "gradient descent, rate 0.2", .xs = {}, .ys = {}}};
  for (int step = 0; step <= 4; ++step) {
    const auto [g, first] = at(f, x, Array({2}, {1, 0}));  // the columns of H are H (1, 0) and H (0, 1)
    const Array second = at(f, x, Array({2}, {0, 1})).Hv;
    const Array g_slow = at(f, slow, slow).g;
    fmt::print("{:4}   {:18.1e}   {:19.1e}\n", step, norm(g), norm(g_slow));
    const double a = first.flat(0), b = second.flat(0), c = first.flat(1), d = second.flat(1), det = a * d - b * c;
    const Array s({2}, {(d * g.flat(0) - b * g.flat(1)) / det, (a * g.flat(1) - c * g.flat(0)) / det});  // H s = g
    plot.series[0].xs.push_back(step), plot.series[0].ys.push_back(norm(g));
    plot.series[1].xs.push_back(step), plot.series[1].ys.push_back(norm(g_slow));
    x = minus(x, 1, s);
    slow = minus(slow, 0.2, g_slow);
  }
  //]
  draw(plot, "newton.svg");
}

// ---- through time

// h_0 = 0.
Var initial(Tape& tape) {
  const Step step(tape, 0);
  return tape.constant(Array::scalar(0), "h");
}

//[ rnn
// h_t = tanh(w h_(t-1) + x_t), one unit.
Var unrolled(Tape& tape, Var w, int steps) {
  Var h = initial(tape);
  for (int t = 1; t <= steps; ++t) {
    const Step step(tape, t);
    const Var x = tape.constant(Array::scalar(0.5), "x");
    h = tanh(h * w + x).named("h");
  }
  return h;
}
//]

void through_time() {
  section("Two steps of a recurrent network, as equations");
  //[ rnn-equations
  Tape tape;
  const Var w = tape.input(Array::scalar(0.8), "w");
  const Var last = unrolled(tape, w, 2);
  const Gradients g = backward(last, {.create_graph = true});
  fmt::print("{}", equations(tape));
  //]
  const Var slope = g.var(w);
  render(tape, "rnn.svg",
         {.gradients = &g,
          .backward = BackwardView::below,
          .values = ValueView::numbers,
          .title = "Two steps of h = tanh(w h + x), and their backward pass"});

  section("Second order through time");
  //[ rnn-second
  const auto slope_at = [](double at) {
    Tape other;
    const Var there = other.input(Array::scalar(at));
    return backward(unrolled(other, there, 2))[there].item();
  };
  const double h = 1e-4;
  fmt::print("dh_2/dw    {:.6f}\n", slope.item());
  fmt::print("d2h_2/dw2  {:.6f}, by differences {:.6f}\n\n", backward(slope)[w].item(),
             (slope_at(0.8 + h) - slope_at(0.8 - h)) / (2 * h));

  Generator generator(1);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GradcheckReport report = gradcheck(lstm, {.steps = 2, .gradcheck = {.order = 2}});
  fmt::print("second derivatives of a whole LSTM: {}\n", report.passed ? "right" : "wrong");
  //]
}

void costs() {
  section("What it costs");
  //[ costs
  fmt::print("steps   nodes forward   with the gradient   with that of g . v\n");
  for (const int steps : {1, 2, 4, 8, 16}) {
    Tape tape;
    const Var w = tape.input(Array::scalar(0.8), "w");
    const Var last = unrolled(tape, w, steps);
    const std::size_t forward = tape.size();
    const Var g = backward(last, {.create_graph = true}).var(w);
    const std::size_t with_gradient = tape.size();
    backward(g, {.create_graph = true});
    fmt::print("{:5} {:15} {:19} {:20}\n", steps, forward, with_gradient, tape.size());
  }
  //]
}

void penalty() {
  section("A gradient as a loss");
  //[ penalty
  Array x({2}, {1, 0.5});
  for (int step = 0; step <= 40; ++step) {
    Tape tape;
    const Var X = tape.input(x, "x");
    const Var g = backward(f(X), {.create_graph = true}).var(X);
    const Var squared = sum(square(g));  // |g|^2, as a loss
    if (step % 10 == 0) fmt::print("step {:2}: |g|^2 = {:.3g}\n", step, squared.item());
    x = minus(x, 0.01, backward(squared)[X].copy());  // its gradient is 2 H g
  }
  //]
}

void drawn() {
  //[ drawn
  Tape tape;
  const Var x = tape.input(Array::scalar(0.5), "x"), w = tape.input(Array::scalar(2), "w");
  const Var L = square(tanh(x * w).named("y")).named("L");
  const Gradients g = backward(L, {.create_graph = true});
  render(tape, "backward.svg",
         {.gradients = &g,
          .backward = BackwardView::below,
          .values = ValueView::numbers,
          .title = "L = tanh(x w)^2, and below it the program of its gradient"});
  //]
}

}  // namespace

int main() {
  drawn();
  more_tape();
  curves();
  hessian();
  hessian_vector();
  curvature();
  newton();
  through_time();
  costs();
  penalty();
}
