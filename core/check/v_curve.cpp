#include <unroll/core/check/v_curve.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

std::string explain(const VCurve& c) {
  switch (c.verdict) {
    case VCurve::Verdict::right:
      return fmt::format("the differences settle on {:.9g}, where the analytic value is", c.numeric);
    case VCurve::Verdict::rounding:
      return fmt::format(
          "rounding: the differences settle on {:.6g} +- {:.1g}, which cannot tell it from the analytic {:.6g}",
          c.numeric, c.uncertainty, c.analytic);
    case VCurve::Verdict::kink:
      return fmt::format("a kink: the derivative is {:.6g} on the left and {:.6g} on the right", c.left, c.right);
    case VCurve::Verdict::jump:
      return "a jump: the value itself is not continuous here, so that there is no derivative";
    case VCurve::Verdict::wrong:
      return fmt::format(
          "a wrong derivative: the differences settle on {:.9g} +- {:.1g}, at every step far from the analytic {:.9g}",
          c.numeric, c.uncertainty, c.analytic);
    case VCurve::Verdict::undefined:
      return "the program is not finite on both sides of this entry, however small the step";
  }
  return {};
}

std::string to_string(const VCurve& curve) {
  constexpr double width = 48, decades = 16;  // a full bar is an error as large as the derivative itself
  const double size = std::max(std::abs(curve.analytic), std::abs(curve.numeric));
  std::string text = fmt::format("{:>9}  {:>9}\n", "step", "|error|");
  for (std::size_t i = 0; i < curve.points.size(); i += 2) {  // every second step is enough to see the V
    const VCurve::Point& p = curve.points[i];
    const double error = std::abs(p.central - curve.analytic);
    text += fmt::format("{:>9.1e}  {:>9.1e}", p.step, error);
    if (error > 0 && size > 0 && std::isfinite(error)) {
      const double length = width * (1 + std::log10(error / size) / decades);
      text += "  " + std::string(static_cast<std::size_t>(std::clamp(length, 1.0, width)), '*');
    }
    text += "\n";
  }
  return text;
}

}  // namespace unroll
