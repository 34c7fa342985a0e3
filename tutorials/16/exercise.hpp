#pragma once

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <functional>

using unroll::Array;
using unroll::Tape;
using unroll::Var;

// A function that is recorded on the tape of its argument, and gives one number.
using Function = std::function<Var(Var)>;

// The second derivative of f at a number x.
double second_derivative(const Function& f, double x);

// H v, the Hessian of f at x (one axis) times v, without ever having H.
Array hessian_vector(const Function& f, const Array& x, const Array& v);

// Where one step of Newton's method leads from x, for a function of two numbers: x - s, where H s = g.
Array newton_step(const Function& f, const Array& x);

// The gradient by x of the penalty |g|^2, where g is the gradient of f at x.
Array penalty_gradient(const Function& f, const Array& x);
