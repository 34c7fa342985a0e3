#pragma once

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <functional>
#include <vector>

using unroll::Parameter;
using unroll::Tape;
using unroll::Var;

// A weight after one step of gradient descent.
double updated(double w, double gradient, double rate);

// The mean squared error of the line w x + b at the points (xs[i], ys[i]), and its derivatives by w and b.
double line_loss(const std::vector<double>& xs, const std::vector<double>& ys, double w, double b);
struct LineGradient {
  double dw, db;
};
LineGradient line_gradient(const std::vector<double>& xs, const std::vector<double>& ys, double w, double b);

// Trains by gradient descent, without an optimiser of the library. `loss(tape)` records the loss. Gives the loss before each of the steps.
std::vector<double> train(const std::vector<Parameter>& parameters, const std::function<Var(Tape&)>& loss, double rate,
                          int steps);

// How to train tanh(x W1 + b1) W2 + b2 on XOR.
struct Recipe {
  int hidden;        // units in the hidden layer
  double deviation;  // of the first weights, which are normally distributed around 0; biases begin at 0
  double rate;       // the learning rate
  int steps;         // at most 3000
};
Recipe recipe_for_xor();
