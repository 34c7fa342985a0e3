#include "exercise.hpp"

std::size_t multiply(List& list, std::size_t a, std::size_t b) {
  list.push_back({Kind::multiply, a, b, list[a].value * list[b].value});
  return list.size() - 1;
}

std::size_t divide(List& list, std::size_t a, std::size_t b) {
  list.push_back({Kind::divide, a, b, list[a].value / list[b].value});
  return list.size() - 1;
}

std::vector<double> backward(const List& list, std::size_t y) {
  std::vector<double> adjoint(list.size(), 0.0);
  adjoint[y] = 1;
  for (std::size_t i = y + 1; i-- > 0;) {
    const Entry& entry = list[i];
    const double g = adjoint[i], a = list[entry.a].value, b = list[entry.b].value;
    switch (entry.kind) {
      case Kind::input: break;
      case Kind::add:
        adjoint[entry.a] += g;
        adjoint[entry.b] += g;
        break;
      case Kind::multiply:
        adjoint[entry.a] += g * b;
        adjoint[entry.b] += g * a;
        break;
      case Kind::divide:
        adjoint[entry.a] += g / b;
        adjoint[entry.b] += -g * a / (b * b);
        break;
    }
  }
  return adjoint;
}
