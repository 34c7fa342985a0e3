#include "exercise.hpp"

Numbers forward(double x, const Numbers& w) {
  Numbers h{x};
  for (const double factor : w) h.push_back(factor * h.back());
  return h;
}

double by_x(const Numbers& w) {
  double product = 1;
  for (const double factor : w) product *= factor;
  return product;
}

Numbers by_weights(double x, const Numbers& w) {
  const Numbers h = forward(x, w);
  Numbers result(w.size());
  double back = 1;
  for (std::size_t i = w.size(); i-- > 0;) {
    result[i] = back * h[i];
    back *= w[i];
  }
  return result;
}

Numbers by_shared_weights(double x, const Numbers& weights, const std::vector<std::size_t>& which) {
  Numbers links;
  for (const std::size_t k : which) links.push_back(weights[k]);
  const Numbers by_link = by_weights(x, links);
  Numbers result(weights.size(), 0.0);
  for (std::size_t i = 0; i < which.size(); ++i) result[which[i]] += by_link[i];
  return result;
}
