#pragma once

#include "../course.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

// The exercises of chapter 15: truncation and recomputation by hand, for a network of one unit, h_t = tanh(w h_(t-1) + x_t) with h_0 = 0.

// The cell. It counts how often it is run forwards.
class Cell {
 public:
  explicit Cell(double w_) : w(w_) {}

  double forward(double before, double x) {
    ++runs_;
    return std::tanh(w * before + x);
  }
  std::size_t runs() const { return runs_; }

  const double w;

 private:
  std::size_t runs_ = 0;
};

// The gradient by w of L = h_1 + h_2 + ... + h_T, by truncated BPTT with k1 = k2 = k: after every k steps a window ends, the state runs on into the next
// one, and what flows back ends at the beginning of the window. The last window may be shorter.
double truncated_gradient(Cell& cell, const std::vector<double>& x, std::size_t k);

// The gradient by w of L = h_T, by full BPTT that keeps few numbers: going forwards it keeps only the states before steps 1, k + 1, 2k + 1, ... Going back it runs
// each part of k steps once more. No step is run more than twice.
double recomputed_gradient(Cell& cell, const std::vector<double>& x, std::size_t k);

// How many numbers that keeps at the same time, for T steps, T a multiple of k: the states before each part, and within a part the states after each of its k steps.
std::size_t kept_numbers(std::size_t T, std::size_t k);
