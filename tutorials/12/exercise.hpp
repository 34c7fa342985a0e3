#pragma once

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <functional>
#include <span>
#include <vector>

// The exercises of chapter 12: a small gradient checker of your own, and a backward pass that it may judge.

// The derivative of f at x by central differences, for numbers of about the size of x. In double precision.
double numeric_derivative(const std::function<double(double)>& f, double x);

// How far the analytic derivative is from the numeric one, relative to the larger of both; 0 if both are 0.
double relative_error(double analytic, double numeric);

// The step of a cell with one gate. `in` holds x, h_(t-1), W_n, U_n, b_n, W_k, U_k, b_k; the results are h_t, n, k:
//
//   k = sigmoid(x W_k + h_(t-1) U_k + b_k)        how much is kept
//   n = tanh(x W_n + h_(t-1) U_n + b_n)           what is new
//   h_t = k * h_(t-1) + (1 - k) * n
std::vector<unroll::Var> gated_step(std::span<const unroll::Var> in);

// The way back: from dL/dh_t to the adjoints of the eight inputs, in the order of `in`. `out` holds h_t, n, k.
std::vector<unroll::Var> gated_step_backward(std::span<const unroll::Var> in, std::span<const unroll::Var> out,
                                             unroll::Var dh);
