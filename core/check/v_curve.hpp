#pragma once

#include <string>
#include <vector>

namespace unroll {

// How the error of a central difference depends on its step. Large steps err by truncation (the error falls with h^2), small ones by rounding (it grows with 1/h),
// which makes a V; its floor is as near as differences come. A wrong derivative lifts the floor: no step agrees with it.
struct VCurve {
  // What the curve says of the derivative.
  enum class Verdict {
    right,      // some step agrees within the tolerance
    rounding,   // the rounding errors of the program hide the derivative: neither right nor wrong can be told
    kink,       // both sides have derivatives of their own
    jump,       // the value itself jumps
    wrong,      // the differences settle on another value
    undefined,  // the program is not finite around this entry
  };

  std::string entry = {};      // "lstm.W_h[gate f][3, 1]"
  double analytic = 0;         // from the reverse rules
  double numeric = 0;          // by differences: the most certain value
  double uncertainty = 0;      // of `numeric`
  double left = 0, right = 0;  // the one-sided derivatives, where they differ
  // One step of the difference.
  struct Point {
    double step = 0;     // h
    double central = 0;  // (L(+h) - L(-h)) / (2 h)
  };
  std::vector<Point> points = {};    // the largest step first
  Verdict verdict = Verdict::right;  // on the derivative
};

// What the verdict means, in one sentence with its numbers.
std::string explain(const VCurve& curve);
// The curve as lines of text: step, error, and a bar on a logarithmic scale.
std::string to_string(const VCurve& curve);

}  // namespace unroll
