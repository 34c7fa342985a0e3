#pragma once

#include "../course.hpp"

#include <unroll/unroll.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

// What exercise.cpp is to define.
using unroll::Array;
using unroll::Var;
using unroll::course::hole;

// 1. A word as a lesson: the letters that go in, as one-hot rows (time, 1, letters), and for each of them the number of the letter that follows. The
// number of a letter is its place in `letters`, from 0. lesson_from("hello", "helo") goes from "hell" to "ello".
struct Lesson {
  Array xs;
  std::vector<std::int64_t> targets;
};
Lesson lesson_from(const std::string& word, const std::string& letters);

// 2. The loss over all steps: the mean of the cross-entropies of the single steps. logits[t] is (1, letters).
Var mean_loss(const std::vector<Var>& logits, const std::vector<std::int64_t>& targets);

// From here on plain numbers. A row is a vector, and a matrix is its rows: W[i][j].
using Row = std::vector<double>;
using Matrix = std::vector<Row>;

// The network of this chapter, h_t = tanh(x_t W_xh + h_(t-1) W_hh + b), y_t = h_t W_hy + b_y; or the gradient by each of its weights.
struct Weights {
  Matrix W_xh, W_hh;
  Row b;
  Matrix W_hy;
  Row b_y;
};
Weights zeros_like(const Weights& weights);

// What the forward pass leaves. Index t is the time step, 1 ... T; h[0] is the initial state; p[t] is softmax(y_t).
struct Forward {
  std::size_t T = 0;
  std::vector<Row> x, h, p;
  std::vector<std::size_t> target;
};

// Three products that the way back needs.
Row times_transposed(const Row& g, const Matrix& W);         // g W^T
void add_outer(Matrix& sum, const Row& left, const Row& g);  // sum += left^T g
void add_to(Row& sum, const Row& g);                         // sum += g

// 3. dL_t/dy_t of one step, where L_t = -log p[target] and p = softmax(y_t).
Row adjoint_of_logits(const Row& p, std::size_t target);

// 4. The gradient of L = L_1 + ... + L_T (the sum) by all weights.
Weights backward_through_time(const Weights& weights, const Forward& forward);

// ---- given

inline Weights zeros_like(const Weights& weights) {
  Weights zero = weights;
  for (Matrix* matrix : {&zero.W_xh, &zero.W_hh, &zero.W_hy})
    for (Row& row : *matrix) row.assign(row.size(), 0.0);
  for (Row* row : {&zero.b, &zero.b_y}) row->assign(row->size(), 0.0);
  return zero;
}

inline Row times_transposed(const Row& g, const Matrix& W) {
  Row result(W.size(), 0.0);
  for (std::size_t i = 0; i < W.size(); ++i)
    for (std::size_t j = 0; j < g.size(); ++j) result[i] += g[j] * W[i].at(j);
  return result;
}

inline void add_outer(Matrix& sum, const Row& left, const Row& g) {
  for (std::size_t i = 0; i < left.size(); ++i)
    for (std::size_t j = 0; j < g.size(); ++j) sum.at(i).at(j) += left[i] * g[j];
}

inline void add_to(Row& sum, const Row& g) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += g.at(i);
}
