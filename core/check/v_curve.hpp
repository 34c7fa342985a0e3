#pragma once

#include <string>
#include <vector>

namespace unroll {

// How the error of a central difference depends on its step. Large steps err by truncation (the error falls with h^2), small ones by rounding (it grows with 1/h),
// which makes a V; its floor is as near as differences come. A wrong derivative lifts the floor: no step agrees with it.
struct VCurve {
  enum class Verdict {
    right,      // some step agrees within the tolerance
    rounding,   // the rounding errors of the program hide the derivative: neither right nor wrong can be told
    kink,       // both sides have derivatives of their own
    jump,       // the value itself jumps
    wrong,      // the differences settle on another value
    undefined,  // the program is not finite around this entry
  };

  std::string entry = {};
  double analytic = 0, numeric = 0, uncertainty = 0;  // `numeric` is the most certain value, and how certain it is
  double left = 0, right = 0;                         // the one-sided derivatives, where they differ
  struct Point {
    double step = 0;
    double central = 0;  // (L(+h) - L(-h)) / (2 h)
  };
  std::vector<Point> points = {};  // the largest step first
  Verdict verdict = Verdict::right;
};

// What the verdict means, in one sentence with its numbers.
std::string explain(const VCurve& curve);
// The curve as lines of text: step, error, and a bar on a logarithmic scale.
std::string to_string(const VCurve& curve);

}  // namespace unroll
