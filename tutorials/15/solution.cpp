#include "exercise.hpp"

#include <algorithm>

// ---- 1. truncated BPTT

double truncated_gradient(Cell& cell, const std::vector<double>& x, std::size_t k) {
  const std::size_t T = x.size();
  std::vector<double> h{0};  // h[t] is the state after step t
  for (std::size_t t = 1; t <= T; ++t) h.push_back(cell.forward(h[t - 1], x[t - 1]));
  double dw = 0;
  for (std::size_t begin = 0; begin < T; begin += k) {
    const std::size_t end = std::min(begin + k, T);
    double dh = 0;  // nothing comes back from the next window
    for (std::size_t t = end; t > begin; --t) {
      dh += 1;  // h_t is itself a term of the loss
      const double da = dh * (1 - h[t] * h[t]);
      dw += da * h[t - 1];
      dh = da * cell.w;
    }
  }
  return dw;
}

// ---- 2. recomputation

double recomputed_gradient(Cell& cell, const std::vector<double>& x, std::size_t k) {
  const std::size_t T = x.size();
  std::vector<double> kept;  // the states before steps 1, k + 1, 2k + 1, ...
  double h = 0;
  for (std::size_t t = 1; t <= T; ++t) {
    if ((t - 1) % k == 0) kept.push_back(h);
    h = cell.forward(h, x[t - 1]);
  }
  double dw = 0, dh = 1;
  for (std::size_t part = kept.size(); part-- > 0;) {
    const std::size_t begin = part * k, end = std::min(begin + k, T);
    std::vector<double> again{kept[part]};
    for (std::size_t t = begin + 1; t <= end; ++t) again.push_back(cell.forward(again.back(), x[t - 1]));
    for (std::size_t t = end; t > begin; --t) {
      const double after = again[t - begin], before = again[t - begin - 1];
      const double da = dh * (1 - after * after);
      dw += da * before;
      dh = da * cell.w;
    }
  }
  return dw;
}

std::size_t kept_numbers(std::size_t T, std::size_t k) { return T / k + k; }
