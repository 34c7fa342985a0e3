#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/parameter.hpp>

#include <span>
#include <string>
#include <vector>

namespace unroll {

// How far an approximate gradient g~ (of truncated BPTT, of a sample) is from the exact one, g.
struct GradientDistance {
  std::string name;                             // of the parameter
  double approximate_norm = 0, exact_norm = 0;  // |g~|, |g|
  double relative_error = 0;                    // |g~ - g| / |g|: 0 where both are 0, infinite where only g is
  double cosine = 0;                            // of the angle between them; NaN where one of them is 0
};

// How far an approximate gradient is from the exact one, in all.
struct GradientBias {
  std::vector<GradientDistance> parameters;  // in the order asked for
  GradientDistance all;                      // of all of them as one long vector, named "all"
};

// Compares two gradients of the same parameters, sums in double precision. A parameter that the approximate gradient does not reach any more, because
// all ways to it are cut, counts as 0 there. Throws Error for an empty list, GradientError for a parameter that the exact gradient does not contain.
GradientBias gradient_bias(const Gradients& approximate, const Gradients& exact, std::span<const Parameter> parameters);

// A table: a line for each parameter and one for all.
std::string to_string(const GradientBias& bias);

}  // namespace unroll
