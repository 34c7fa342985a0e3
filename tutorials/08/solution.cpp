#include "exercise.hpp"

Matrix reach(const Matrix& W_in, const Matrix& W, int T) {
  Matrix D = W_in;
  for (int t = 2; t <= T; ++t) D = product(D, W);
  return D;
}

Matrix reach_through_tanh(const Matrix& W_in, const Matrix& W, const std::vector<Row>& h) {
  Matrix D = W_in;
  for (std::size_t t = 1; t < h.size(); ++t) {
    if (t > 1) D = product(D, W);
    D = D * (1 - h[t] * h[t]);
  }
  return D;
}

double clip_by_global_norm(std::vector<xt::xarray<double>>& gradients, double limit) {
  double squares = 0;
  for (const auto& g : gradients) squares += xt::sum(g * g)();
  const double norm = std::sqrt(squares);
  if (norm > limit)
    for (auto& g : gradients) g *= limit / norm;
  return norm;
}

Fate fate(const Matrix& W) {
  const double trace = W(0, 0) + W(1, 1), determinant = W(0, 0) * W(1, 1) - W(0, 1) * W(1, 0);
  const std::complex<double> root = std::sqrt(std::complex<double>(trace * trace - 4 * determinant));
  const double radius = std::max(std::abs(trace + root), std::abs(trace - root)) / 2;
  if (std::abs(radius - 1) < 1e-9) return Fate::stays;
  return radius < 1 ? Fate::vanishes : Fate::explodes;
}
