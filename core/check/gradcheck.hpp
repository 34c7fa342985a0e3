#pragma once

#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace unroll {

struct GradcheckOptions {
  int order = 1;  // 1 checks the gradient, 2 the gradient of a directional derivative (so the recorded backward pass)
  double tolerance = 1e-6;  // on the relative error
  std::uint64_t seed = 0;   // of the random cotangent and direction
};

// The worst entry of one parameter.
struct GradcheckRow {
  std::string name;
  std::vector<std::int64_t> index;
  double analytic = 0, numeric = 0, relative_error = 0;
  std::size_t entries = 0;  // how many were checked: all of them
  bool passed = false;
};

struct GradcheckReport {
  bool passed = true;
  std::vector<GradcheckRow> rows;
};

// Compares the gradients of a program, from its vjps, with central differences, for every entry of every parameter. The program records
// its computation on the tape it is given, from `parameters` (Tape::use), which must be float64, and returns a Var of any shape, which
// is reduced to a number with a random cotangent u: L = sum(u * y). With order 2, L is the derivative of that number in a random direction.
//
// The differences are of fourth order, (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / (12 h), with h = 1e-3 times the scale of the entry; where
// they disagree with the gradient, two smaller steps are tried, because a kink (relu) may lie under the first. The relative error is the
// difference over the largest of both values, 1 % of the parameter's largest derivative, and 1e-5. Throws DTypeError for a parameter in
// float32, Error if two runs of the program on equal parameters differ (dropout without a fresh generator, for example).
GradcheckReport gradcheck(const std::function<Var(Tape&)>& program, std::vector<Parameter> parameters,
                          const GradcheckOptions& options = {});

// The same for a function of arrays, which are named x0, x1, ...
GradcheckReport gradcheck(const std::function<Var(std::span<const Var>)>& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options = {});

// A table for people: one line a parameter, with the worst entry and both values.
std::string to_string(const GradcheckReport& report);

}  // namespace unroll
