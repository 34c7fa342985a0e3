#include <unroll/core/check/difference.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace unroll::detail {

namespace {

constexpr int levels = 28, columns = 5;

double sum_of_differences(const std::vector<double>& a, const std::vector<double>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] - b[i];
  return total;
}

// What one step says.
struct Level {
  double h = 0, central = 0, left = 0, right = 0;
  double noise = 0;  // rounding error that the quotients may have
  double gap() const { return std::abs(right - left); }
};

Level level_at(const Line& line, double h, const std::vector<double>& here) {
  const std::vector<double> above = line.at(h), below = line.at(-h);
  double moving = 0;
  for (std::size_t i = 0; i < here.size(); ++i)
    if (above[i] != below[i] || above[i] != here[i]) moving += std::max(std::abs(above[i]), std::abs(below[i]));
  return {h, sum_of_differences(above, below) / (2 * h), sum_of_differences(here, below) / h,
          sum_of_differences(above, here) / h, line.epsilon * moving / h};
}

// The value of the extrapolation that is most certain.
void settle(const std::vector<Level>& all, VCurve& curve) {
  curve.uncertainty = std::numeric_limits<double>::infinity();
  std::array<double, columns> before{}, row{};
  for (std::size_t j = 0; j < all.size(); ++j) {
    row[0] = all[j].central;
    double power = 1;
    for (std::size_t k = 0; k < std::min<std::size_t>(j + 1, columns); ++k) {
      if (k > 0) {
        power *= 4;
        row[k] = row[k - 1] + (row[k - 1] - before[k - 1]) / (power - 1);
      }
      if (j == 0) continue;
      const double beside = k > 0 ? std::abs(row[k] - row[k - 1]) : 0;
      const double above = std::abs(row[k] - (k > 0 ? before[k - 1] : before[0]));
      const double error = std::max(beside, above) + all[j].noise;
      if (error >= curve.uncertainty) continue;
      curve.uncertainty = error;
      curve.numeric = row[k];
    }
    before = row;
  }
}

// How the two sides differ as the step gets smaller: a smooth function's difference vanishes with h, that of a kink stays, that of a jump grows with 1/h.
void compare_sides(const std::vector<Level>& all, VCurve& curve) {
  constexpr std::size_t apart = 6;
  std::optional<std::size_t> reliable;
  for (std::size_t j = apart; j < all.size(); ++j)
    if (all[j].gap() > 16 * all[j].noise) reliable = j;
  if (!reliable) return;
  const Level &fine = all[*reliable], &coarse = all[*reliable - apart];
  if (fine.gap() <= 1e-4 * std::max(std::abs(fine.left), std::abs(fine.right)) || fine.gap() < 0.5 * coarse.gap())
    return;
  curve.verdict = fine.gap() > 8 * coarse.gap() ? VCurve::Verdict::jump : VCurve::Verdict::kink;
  curve.left = fine.left;
  curve.right = fine.right;
}

}  // namespace

double central_difference(const Line& line, double step) {
  const double h = step * line.scale;
  const double near = sum_of_differences(line.at(h), line.at(-h));
  const double far = sum_of_differences(line.at(2 * h), line.at(-2 * h));
  return (8 * near - far) / (12 * h);
}

VCurve measure(const Line& line, double analytic) {
  VCurve curve{.analytic = analytic};
  const std::vector<double> here = line.at(0);
  std::vector<Level> finite;
  double h = line.scale / 4;
  for (int j = 0; j < levels; ++j) {
    h /= 2;
    const Level level = level_at(line, h, here);
    curve.points.push_back({h, level.central});
    // beyond the domain of the program there is nothing to extrapolate from
    if (std::isfinite(level.central))
      finite.push_back(level);
    else
      finite.clear();
  }
  if (finite.size() < 2) {
    curve.verdict = VCurve::Verdict::undefined;
    curve.numeric = curve.uncertainty = std::numeric_limits<double>::quiet_NaN();
    return curve;
  }
  settle(finite, curve);
  compare_sides(finite, curve);
  return curve;
}

}  // namespace unroll::detail
