#include "exercise.hpp"

using unroll::course::hole;

double updated(double w, double gradient, double rate) { return w - rate * gradient; }

double line_loss(const std::vector<double>& xs, const std::vector<double>& ys, double w, double b) {
  double sum = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double error = w * xs[i] + b - ys[i];
    sum += error * error;
  }
  return sum / static_cast<double>(xs.size());
}

LineGradient line_gradient(const std::vector<double>& xs, const std::vector<double>& ys, double w, double b) {
  LineGradient g{0, 0};
  const double each = 2.0 / static_cast<double>(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double error = w * xs[i] + b - ys[i];
    g.dw += each * error * xs[i];
    g.db += each * error;
  }
  return g;
}

std::vector<double> train(const std::vector<Parameter>& parameters, const std::function<Var(Tape&)>& loss, double rate,
                          int steps) {
  std::vector<double> losses;
  Tape tape;
  for (int step = 0; step < steps; ++step) {
    tape.clear();
    const Var L = loss(tape);
    losses.push_back(L.item());
    const unroll::Gradients g = backward(L);
    for (Parameter p : parameters) {
      const unroll::ArrayView gradient = g[p];
      unroll::Array& value = p.mutable_value();
      for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, updated(value.flat(i), gradient.flat(i), rate));
    }
  }
  return losses;
}

Recipe recipe_for_xor() { return {.hidden = 8, .deviation = 1, .rate = 0.2, .steps = 2000}; }
