#pragma once

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <span>
#include <vector>

// The exercises of chapter 13: read clues, then mend three cells.

enum class Where { nowhere, within_the_step, between_the_steps, over_the_batch };

// Where the fault is, from three checks of the gradients by the weights (not by the first state): whether they are wrong
struct Clues {
  bool one_step;       // over one step of one sequence
  bool two_steps;      // over two steps of one sequence
  bool two_sequences;  // over one step of two sequences
};
Where where_to_look(const Clues& wrong);

// Each of these has one fault. They are given the inputs of the step, its results, and the adjoints of the results.

// in: x, h_(t-1), W, U, b; out: h_t. h_t = tanh(x W + h_(t-1) U + b)
std::vector<unroll::Var> rnn_backward(std::span<const unroll::Var> in, std::span<const unroll::Var> out,
                                      std::span<const unroll::Var> adjoint);

// in: i, f, g, o, c_(t-1); out: h_t, c_t. c_t = f * c_(t-1) + i * g, h_t = o * tanh(c_t)
std::vector<unroll::Var> lstm_backward(std::span<const unroll::Var> in, std::span<const unroll::Var> out,
                                       std::span<const unroll::Var> adjoint);

// in: z, n, h_(t-1); out: h_t. h_t = z * h_(t-1) + (1 - z) * n
std::vector<unroll::Var> gru_backward(std::span<const unroll::Var> in, std::span<const unroll::Var> out,
                                      std::span<const unroll::Var> adjoint);
