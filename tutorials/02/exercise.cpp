#include "exercise.hpp"

using unroll::course::hole;

std::size_t multiply(List& list, std::size_t a, std::size_t b) {
  (void)list, (void)a, (void)b;
  return hole("recording a product");
}

std::size_t divide(List& list, std::size_t a, std::size_t b) {
  (void)list, (void)a, (void)b;
  return hole("recording a quotient (its rule belongs into the sweep)");
}

std::vector<double> backward(const List& list, std::size_t y) {
  (void)list, (void)y;
  return hole("the sweep: a seed, an order, and a rule for each kind");
}
