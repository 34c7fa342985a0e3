#include <unroll/core/check/difference.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace unroll::detail {

namespace {

constexpr std::size_t levels = 28, columns = 5;

double sum_of_differences(const std::vector<double>& a, const std::vector<double>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] - b[i];
  return total;
}

// What one step says.
struct Level {
  double h = 0, central = 0, left = 0, right = 0;
  double noise = 0;  // rounding error that the quotients may have
  bool both_sides_move = false, stands_still = false;
  double gap() const { return std::abs(right - left); }
};

// The levels of ever smaller steps, with what rounding may do to them: by the size of the summands that move at this step or did at a larger one,
// and by the error with which the offset itself is added.
class Levels {
 public:
  explicit Levels(const Line& line) : line_(line), here_(line.at(0)), moves_(here_.size()) {}

  Level at(double h) {
    const std::vector<double> above = line_.at(h), below = line_.at(-h);
    double moving = 0, all = 0;
    for (std::size_t i = 0; i < here_.size(); ++i) {
      const double size = std::max(std::abs(above[i]), std::abs(below[i]));
      moves_[i] = moves_[i] || above[i] != below[i] || above[i] != here_[i];
      if (moves_[i]) moving += size;
      all += size;
    }
    if (moving == 0) moving = all;  // what moves may be too small to be seen
    Level level{h, sum_of_differences(above, below) / (2 * h), sum_of_differences(here_, below) / h,
                sum_of_differences(above, here_) / h};
    level.both_sides_move = above != here_ && below != here_;
    level.stands_still = above == here_ && below == here_;
    if (std::isfinite(level.central)) steepest_ = std::max(steepest_, std::abs(level.central));
    level.noise = (line_.epsilon * (moving + line_.scale * steepest_) + line_.noise) / h;
    return level;
  }

 private:
  const Line& line_;
  std::vector<double> here_;
  std::vector<bool> moves_;
  double steepest_ = 0;
};

// Where steps get lost in rounding, so that a program that moved on both sides stands still, nothing smaller says anything; and what moved last is as small
// a change as can be seen.
void leave_out_lost(std::vector<Level>& all) {
  double quantum = 0;
  bool both_sides_moved = false;
  for (std::size_t j = 0; j < all.size(); ++j) {
    both_sides_moved = both_sides_moved || all[j].both_sides_move;
    const double change = std::abs(all[j].central) * all[j].h;
    if (change > 0) quantum = change;
    if (!all[j].stands_still || !both_sides_moved || quantum == 0) continue;
    all.resize(std::max<std::size_t>(j, 2));  // as few as can be extrapolated from
    for (Level& level : all) level.noise += quantum / level.h;
    return;
  }
}

using Row = std::array<double, columns>;  // of Neville's scheme: a level, extrapolated with 0, 1, ... coarser ones

std::vector<Row> extrapolated(const std::vector<Level>& all) {
  std::vector<Row> rows;
  for (std::size_t j = 0; j < all.size(); ++j) {
    Row row{all[j].central};
    double power = 1;
    for (std::size_t k = 1; k < columns; ++k) {
      power *= 4;
      row[k] = k <= j ? row[k - 1] + (row[k - 1] - rows[j - 1][k - 1]) / (power - 1) : row[k - 1];
    }
    rows.push_back(row);
  }
  return rows;
}

// The rounding errors as they show: what the scheme wanders by at the steps below each, where a smooth function's stands; times the step.
std::vector<double> wandering(const std::vector<Level>& all, const std::vector<Row>& rows) {
  std::vector<double> result(all.size());
  for (std::size_t j = all.size() - 1; j-- > 0;)
    result[j] = std::max(result[j + 1], std::abs(rows[j + 1].back() - rows[j].back()) * all[j + 1].h);
  return result;
}

// The value of the extrapolation that is most certain: that agrees with its neighbours in the scheme, and that no smaller step contradicts. (Far beyond
// what a function does close by, two large steps may agree by chance.)
void settle(const std::vector<Level>& all, VCurve& curve) {
  constexpr std::size_t enough = 4;  // levels, to measure rounding errors by
  constexpr double many = 64;        // rounding errors may add up to so many times the least
  const std::vector<Row> rows = extrapolated(all);
  const std::vector<double> wanders = wandering(all, rows);
  const auto noise = [&](std::size_t j) {
    return std::max(all[j].noise, wanders[std::min(j, all.size() - std::min(all.size(), enough))] / all[j].h);
  };
  const auto contradiction = [&](std::size_t j, double value) {
    double largest = 0;
    for (std::size_t i = j + 1; i < all.size(); ++i)
      largest = std::max(largest, std::abs(all[i].central - value) - 2 * std::abs(all[j].central - value) -
                                      std::max(many * all[i].noise, 4 * wanders[i] / all[i].h));
    return largest;
  };
  curve.uncertainty = std::numeric_limits<double>::infinity();
  for (std::size_t j = 1; j < all.size(); ++j)
    for (std::size_t k = 0; k <= std::min(j, columns - 1); ++k) {
      const double value = rows[j][k];
      const double beside = k > 0 ? std::abs(value - rows[j][k - 1]) : 0;
      const double above = std::abs(value - rows[j - 1][k > 0 ? k - 1 : 0]);
      double error = std::max(beside, above) + noise(j);
      if (error < curve.uncertainty) error += contradiction(j, value);
      if (error >= curve.uncertainty) continue;
      curve.uncertainty = error;
      curve.numeric = value;
    }
}

// How the two sides differ as the step gets smaller: a smooth function's difference vanishes with h, that of a kink stays, that of a jump grows with 1/h.
void compare_sides(const std::vector<Level>& all, VCurve& curve) {
  constexpr std::size_t apart = 6;
  std::size_t fine = 0;
  for (std::size_t j = apart; j < all.size(); ++j)
    if (all[j].gap() > 16 * all[j].noise) fine = j;
  if (fine == 0) return;
  const auto steadily = [&](double low, double high) {
    for (std::size_t j = fine - apart + 1; j <= fine; ++j)
      if (const double ratio = all[j].gap() / all[j - 1].gap(); !(ratio > low && ratio < high)) return false;
    return true;
  };
  const bool kink = steadily(0.7, 1.4);
  if (!kink && !steadily(1.6, 2.5)) return;
  curve.verdict = kink ? VCurve::Verdict::kink : VCurve::Verdict::jump;
  curve.left = all[fine].left;
  curve.right = all[fine].right;
  if (!kink) return;
  // the derivatives of both sides, extrapolated from one step to the next where that is most certain
  curve.uncertainty = std::numeric_limits<double>::infinity();
  for (std::size_t j = fine - apart + 1; j <= fine; ++j) {
    const double to_left = all[j].left - all[j - 1].left, to_right = all[j].right - all[j - 1].right;
    const double error = std::max(std::abs(to_left), std::abs(to_right)) + 4 * all[j].noise;
    if (error >= curve.uncertainty) continue;
    curve.uncertainty = error;
    curve.left = all[j].left + to_left;
    curve.right = all[j].right + to_right;
  }
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
  Levels program(line);
  std::vector<Level> finite;
  double h = line.scale / 4;
  for (std::size_t j = 0; j < levels; ++j) {
    h /= 2;
    const Level level = program.at(h);
    curve.points.push_back({h, level.central});
    // beyond the domain of the program there is nothing to extrapolate from
    if (std::isfinite(level.central))
      finite.push_back(level);
    else
      finite.clear();
  }
  leave_out_lost(finite);
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
