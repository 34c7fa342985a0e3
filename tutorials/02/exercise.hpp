#pragma once

#include "../course.hpp"

#include <cstddef>
#include <vector>

enum class Kind { input, add, multiply, divide };

struct Entry {
  Kind kind;
  std::size_t a, b;  // the places of its inputs on the list; 0 and 0 for an input
  double value;
};
using List = std::vector<Entry>;

// These two are given. Each appends an entry and returns its place.
inline std::size_t input(List& list, double value) {
  list.push_back({Kind::input, 0, 0, value});
  return list.size() - 1;
}
inline std::size_t add(List& list, std::size_t a, std::size_t b) {
  list.push_back({Kind::add, a, b, list[a].value + list[b].value});
  return list.size() - 1;
}

// The same for a product and a quotient, a / b.
std::size_t multiply(List& list, std::size_t a, std::size_t b);
std::size_t divide(List& list, std::size_t a, std::size_t b);

// dy/d(entry), one number for each entry of the list. y is the place of any entry, not always the last.
std::vector<double> backward(const List& list, std::size_t y);
