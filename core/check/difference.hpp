#pragma once

#include <unroll/core/check/v_curve.hpp>

#include <functional>
#include <vector>

// Numeric derivatives.
namespace unroll::detail {

// The objective along a line through the present point: its summands at an offset, which `scale` measures.
struct Line {
  std::function<std::vector<double>(double offset)> at;
  double scale = 1;
  double epsilon = 0x1p-52;  // of the program's numbers
  double noise = 0;          // rounding errors of the objective that its summands do not show
};

// D(h) = (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / (12 h), with h = step * scale.
double central_difference(const Line& line, double step);

// Central differences at h = scale / 8, scale / 16, ... , 28 in all, extrapolated to h = 0 by Neville's scheme, of which the value with the smallest
// estimate of its error is taken (Ridders 1982): the larger of its distances to its two neighbours in the scheme, and the rounding error of the
// summands that move. Fills in all of the curve but entry and verdict; the verdict is kink, jump or undefined where it is one of these.
VCurve measure(const Line& line, double analytic);

}  // namespace unroll::detail
