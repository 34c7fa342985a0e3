#include "exercise.hpp"

#include <algorithm>

using unroll::course::hole;

// ---- 1. truncated BPTT

double truncated_gradient(Cell& cell, const std::vector<double>& x, std::size_t k) {
  const std::size_t T = x.size();
  std::vector<double> h{0};  // h[t] is the state after step t
  for (std::size_t t = 1; t <= T; ++t) h.push_back(cell.forward(h[t - 1], x[t - 1]));
  // h[0] ... h[T] are there. Now back, window by window: what flows back at the end of a window? And at which steps does the loss look at h_t itself?
  return hole("the way back of each window");
}

// ---- 2. recomputation

double recomputed_gradient(Cell& cell, const std::vector<double>& x, std::size_t k) {
  // Forwards, keep the state before each part of k steps, and nothing else. Then take the parts from the last to the first: run one once more from the state
  // that was kept, keep its states for the moment, go back through it, and hand the adjoint on to the part before.
  return hole("a forward pass that keeps few states, and a way back that runs each part again");
}

std::size_t kept_numbers(std::size_t T, std::size_t k) {
  return hole("the count of numbers that are kept at the same time");
}
