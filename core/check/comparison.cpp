#include <unroll/core/check/comparison.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_entries = 4096, sampled_entries = 1024;
constexpr std::size_t enough_wrong = 32;  // from so many wrong entries on, the first difference is believed

std::vector<std::int64_t> index_of(const Shape& shape, std::size_t position) {
  std::vector<std::int64_t> index(shape.rank());
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    index[axis] = static_cast<std::int64_t>(position % extent);
    position /= extent;
  }
  return index;
}

double root_mean_square(const Array& array) {
  double total = 0;
  for (std::size_t i = 0; i < array.size(); ++i) total += array.flat(i) * array.flat(i);
  return array.size() == 0 ? 0 : std::sqrt(total / static_cast<double>(array.size()));
}

double norm(const Array& array) { return root_mean_square(array) * std::sqrt(static_cast<double>(array.size())); }

double largest(const Array& array) {
  double result = 0;
  for (std::size_t i = 0; i < array.size(); ++i)
    if (!std::isnan(array.flat(i))) result = std::max(result, std::abs(array.flat(i)));
  return result;
}

// How far a number is from an interval.
double outside(double x, double a, double b) { return std::max({0.0, std::min(a, b) - x, x - std::max(a, b)}); }

}  // namespace

// One entry, judged.
struct Comparison::Found {
  double numeric = 0, absolute = 0, relative = 0;
  bool wrong = false, at_a_kink = false, in_rounding = false;
};

Comparison::Comparison(Objective& objective, const GradcheckOptions& options, double tolerance,
                       std::vector<Array> analytic)
    : objective_(objective),
      options_(options),
      tolerance_(tolerance),
      forward_(options.mode == CheckMode::forward),
      epsilon_(0x1p-52) {
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    const Parameter& p = objective.leaves()[i].parameter;
    if (p.dtype() == DType::f32) epsilon_ = 0x1p-23;
    ComparedLeaf leaf{analytic[i], Array::filled(p.shape(), not_known, DType::f64), std::vector<bool>(p.size()), {}};
    leaf.row.name = p.name();
    leaf.row.entries = p.size();
    leaves_.push_back(std::move(leaf));
    typical_.push_back(root_mean_square(p.value()));
    largest_.push_back(largest(analytic[i]));
  }
  for (const double term : objective.terms()) size_ += std::abs(term);
}

double Comparison::scale(std::size_t leaf, std::size_t position) const {
  return std::max({std::abs(objective_.leaves()[leaf].parameter.value().flat(position)), typical_[leaf], 1e-3});
}

Line Comparison::line(MovedLeaf& moved, std::size_t leaf, std::size_t position) const {
  return {[this, &moved, position](double offset) {
            moved.move(position, offset);
            std::vector<double> terms = objective_.terms();
            moved.move(position, 0);
            return terms;
          },
          scale(leaf, position), epsilon_};
}

double Comparison::quick(MovedLeaf& moved, std::size_t leaf, std::size_t position) {
  if (forward_) {
    Array unit(objective_.leaves()[leaf].parameter.shape(), DType::f64);
    unit.set_flat(position, 1);
    return objective_.forward(leaf, unit).value;
  }
  const Line along = line(moved, leaf, position);
  if (options_.mode == CheckMode::extrapolated) return measure(along, leaves_[leaf].analytic.flat(position)).numeric;
  return central_difference(along, epsilon_ > 1e-10 ? 0x1p-5 : 0x1p-10);
}

double Comparison::denominator(std::size_t leaf, std::size_t position, double a, double n) const {
  return std::max({std::abs(a), std::abs(n), 1e-2 * largest_[leaf], 1e-5 * largest_of_all_,
                   1e-5 * size_ / scale(leaf, position), std::numeric_limits<double>::min()});
}

Comparison::Found Comparison::judge(MovedLeaf& moved, std::size_t leaf, std::size_t position, double n) {
  const double a = leaves_[leaf].analytic.flat(position);
  const auto found = [&](double numeric, double absolute) {
    const double relative = absolute / denominator(leaf, position, a, numeric);
    return Found{numeric, absolute, relative, !(relative <= tolerance_)};  // NaN is no agreement
  };
  Found first = found(n, std::abs(a - n));
  if (!first.wrong || forward_ || std::isnan(a) || leaves_[leaf].row.wrong >= enough_wrong) return first;

  const VCurve curve = measure(line(moved, leaf, position), a);
  if (curve.verdict == VCurve::Verdict::kink || curve.verdict == VCurve::Verdict::jump) {
    Found at_kink = found(curve.numeric, outside(a, curve.left, curve.right));
    at_kink.at_a_kink = !at_kink.wrong;
    return at_kink;
  }
  Found best = found(curve.numeric, std::abs(a - curve.numeric));
  // a tolerance below the precision of the numbers is taken at its word
  best.in_rounding = best.wrong && tolerance_ > 16 * epsilon_ && best.absolute <= 4 * curve.uncertainty;
  best.wrong = best.wrong && !best.in_rounding;
  return best;
}

std::vector<std::size_t> Comparison::positions(std::size_t leaf) const {
  const std::size_t size = leaves_[leaf].analytic.size();
  const bool all =
      options_.mode == CheckMode::entries || options_.mode == CheckMode::extrapolated || size <= most_entries;
  std::vector<std::size_t> result(all ? size : sampled_entries);
  if (all) {
    std::iota(result.begin(), result.end(), std::size_t{0});
  } else {
    Generator generator(options_.seed + leaf);
    for (std::size_t& position : result) position = generator.below(size);
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
  }
  return result;
}

void Comparison::by_entries(std::size_t leaf) {
  ComparedLeaf& compared = leaves_[leaf];
  GradcheckRow& row = compared.row;
  row.wrong = row.compared = row.at_a_kink = row.in_rounding = 0;
  row.passed = true;
  MovedLeaf moved(objective_.leaves()[leaf].parameter);
  bool first = true;
  for (const std::size_t i : positions(leaf)) {
    const Found found = judge(moved, leaf, i, compared.numeric.flat(i));
    compared.numeric.set_flat(i, found.numeric);
    compared.wrong[i] = found.wrong;
    row.wrong += found.wrong;
    row.at_a_kink += found.at_a_kink;
    row.in_rounding += found.in_rounding;
    ++row.compared;
    const bool explained = found.at_a_kink || found.in_rounding;
    const double weight = explained ? 0 : found.relative;
    const bool worse = first || weight > row.relative_error || (std::isnan(weight) && !std::isnan(row.relative_error));
    if (!worse || (!first && std::isnan(row.relative_error))) continue;
    first = false;
    row.index = index_of(compared.analytic.shape(), i);
    row.analytic = compared.analytic.flat(i);
    row.numeric = found.numeric;
    row.absolute_error = found.absolute;
    row.relative_error = weight;
  }
  row.passed = row.wrong == 0;
}

bool Comparison::by_directions(std::size_t leaf) {
  ComparedLeaf& compared = leaves_[leaf];
  GradcheckRow& row = compared.row;
  const Parameter& p = objective_.leaves()[leaf].parameter;
  const double length = std::max(typical_[leaf], 1e-3);
  const double gradient = norm(compared.analytic) * length;
  double missed = 1;
  MovedLeaf moved(p);
  Generator generator(options_.seed + 7919 * (leaf + 1));
  row.passed = true;
  for (int d = 0; d < options_.directions; ++d) {
    Array direction = random_like(p.shape(), DType::f64, generator);
    for (std::size_t i = 0; i < direction.size(); ++i) direction.set_flat(i, direction.flat(i) * length);
    const Objective::Directional a = Objective::product(compared.analytic, direction);
    const Line along{[&](double offset) {
                       moved.move(direction, offset);
                       return objective_.terms();
                     },
                     1, epsilon_};
    double n = 0, allowance = 0, floor = 0;
    if (forward_) {
      const Objective::Directional tangent = objective_.forward(leaf, direction);
      n = tangent.value;
      floor = 1e-2 * std::max(a.scale, tangent.scale);
    } else {
      n = central_difference(along, epsilon_ > 1e-10 ? 0x1p-5 : 0x1p-10);
      floor = std::max(1e-2 * gradient, 1e-5 * size_);
    }
    const auto allowed = [&] {
      return tolerance_ * std::max({std::abs(a.value), std::abs(n), floor, std::numeric_limits<double>::min()});
    };
    if (!forward_ && !(std::abs(a.value - n) <= allowed())) {
      const VCurve curve = measure(along, a.value);
      if (curve.verdict == VCurve::Verdict::right) {
        n = curve.numeric;
        if (tolerance_ > 16 * epsilon_) allowance = 4 * curve.uncertainty;
      } else {
        n = a.value;  // a direction that crosses a kink says nothing
        allowance = std::numeric_limits<double>::infinity();
        ++row.at_a_kink;
      }
    }
    const double error = std::abs(a.value - n), threshold = std::max(allowed(), allowance);
    const double relative = error / (allowed() / tolerance_);
    const bool wrong = !(error <= threshold);
    missed *= std::min(1.0, std::sqrt(2 / std::numbers::pi) * threshold / (0.01 * gradient));
    ++row.compared;
    row.wrong += wrong;
    row.passed &= !wrong;
    if (d > 0 && !(relative > row.relative_error) && !std::isnan(relative)) continue;
    row.entry = fmt::format("{}, direction {}", p.name(), d + 1);
    row.analytic = a.value;
    row.numeric = n;
    row.absolute_error = error;
    row.relative_error = relative;
  }
  moved.restore();
  if (gradient > 0) miss_probability_ = std::max(miss_probability_, missed);
  return row.passed;
}

std::vector<ComparedLeaf> Comparison::run() {
  std::vector<std::size_t> in_detail;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const bool entries = options_.mode == CheckMode::entries || options_.mode == CheckMode::extrapolated;
    if (entries || !by_directions(leaf)) in_detail.push_back(leaf);
  }
  // the scale of an error depends on all derivatives, so these come first
  for (const std::size_t leaf : in_detail) {
    MovedLeaf moved(objective_.leaves()[leaf].parameter);
    for (const std::size_t i : positions(leaf)) leaves_[leaf].numeric.set_flat(i, quick(moved, leaf, i));
  }
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
    const double n = largest(leaves_[leaf].numeric);
    if (std::isfinite(n) && n > 0) largest_[leaf] = n;
    if (std::isfinite(largest_[leaf])) largest_of_all_ = std::max(largest_of_all_, largest_[leaf]);
  }
  for (const std::size_t leaf : in_detail) {
    const GradcheckRow by_direction = leaves_[leaf].row;
    by_entries(leaf);
    // a fault that is too small for a single entry remains one of the direction
    if (!by_direction.passed && !by_direction.entry.empty() && leaves_[leaf].row.passed)
      leaves_[leaf].row = by_direction;
  }
  return leaves_;
}

VCurve Comparison::curve(std::size_t leaf, std::size_t position) {
  MovedLeaf moved(objective_.leaves()[leaf].parameter);
  const double a = leaves_[leaf].analytic.flat(position);
  VCurve curve = measure(line(moved, leaf, position), a);
  if (curve.verdict != VCurve::Verdict::right) return curve;
  const double error = std::abs(a - curve.numeric),
               allowed = tolerance_ * denominator(leaf, position, a, curve.numeric);
  if (error <= allowed) return curve;
  curve.verdict = error <= 4 * curve.uncertainty ? VCurve::Verdict::rounding : VCurve::Verdict::wrong;
  return curve;
}

}  // namespace unroll::detail
