#include "exercise.hpp"

using unroll::course::hole;

Numbers forward(double x, const Numbers& w) {
  (void)x, (void)w;
  return hole("the values of the chain, x first");
}

double by_x(const Numbers& w) {
  (void)w;
  return hole("dy/dx, from the local factors");
}

Numbers by_weights(double x, const Numbers& w) {
  (void)x, (void)w;  // came in times comes back, for every link
  return hole("dy/dw_i for every weight");
}

Numbers by_shared_weights(double x, const Numbers& weights, const std::vector<std::size_t>& which) {
  (void)x, (void)weights, (void)which;
  return hole("the derivative by weights that stand in several links");
}
