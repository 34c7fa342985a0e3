#include <unroll/core/check/comparison.hpp>

#include <unroll/core/check/patterns.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

constexpr double visible = 1e-3;  // a relative difference that a reader of the two numbers sees
constexpr double not_known = std::numeric_limits<double>::quiet_NaN();
// What a closer look at one leaf may cost after a direction failed, in elements that are computed: about half a second.
constexpr double affordable = 2e8;
constexpr std::size_t most_sampled = 4096, least_sampled = 8, most_measured = 32;
constexpr double runs_of_a_difference = 4, runs_of_a_curve = 57;  // a curve: 28 steps on both sides, and none

// The first step that is tried, in terms of the scale. A difference of fourth order is best at about the fifth root of epsilon: 1e-3, and 0.04 in float32.
double first_step(double epsilon) { return epsilon > 0x1p-40 ? 0x1p-5 : 0x1p-10; }

// In terms of the largest element, whose square may be too large for a number.
double root_mean_square(const Array& array) {
  const double largest = largest_of(array);
  if (largest == 0) return 0;
  double total = 0;
  for (std::size_t i = 0; i < array.size(); ++i) total += std::pow(array.flat(i) / largest, 2);
  return largest * std::sqrt(total / static_cast<double>(array.size()));
}

double norm(const Array& array) { return root_mean_square(array) * std::sqrt(static_cast<double>(array.size())); }

// The curve of a line whose scale is that of a leaf. Where these steps are far too large for one small entry (log x next to 0, or tanh x beside 1e100), so that they
// say another thing, with steps that fit that entry, or a number of ordinary size, if that is more certain.
VCurve measured(const Line& line, double analytic, double tolerance, double smallest) {
  VCurve curve = measure(line, analytic);
  if (std::abs(analytic - curve.numeric) <= tolerance * std::abs(analytic)) return curve;
  const auto certain = [](const VCurve& c) {
    if (c.verdict != VCurve::Verdict::right) return HUGE_VAL;
    return c.uncertainty == 0 ? 0 : c.uncertainty / std::abs(c.numeric);
  };
  for (const double scale : {smallest, 1.0}) {
    if (scale == 0 || scale > 1e-2 * line.scale) continue;
    Line closer = line;
    closer.scale = scale;
    const VCurve other = measure(closer, analytic);
    if (certain(other) < certain(curve)) curve = other;
  }
  return curve;
}

double smallest_of(const Array& array) {
  double result = HUGE_VAL;
  for (std::size_t i = 0; i < array.size(); ++i)
    if (array.flat(i) != 0) result = std::min(result, std::abs(array.flat(i)));
  return std::isfinite(result) ? result : 0;
}

// How far a number is from an interval.
double outside(double x, double a, double b) { return std::max({0.0, std::min(a, b) - x, x - std::max(a, b)}); }

}  // namespace

// One entry, judged.
struct Comparison::Found {
  double numeric = 0, absolute = 0, relative = 0;
  bool wrong = false, at_a_kink = false, in_rounding = false;
  bool wrong_at_kink = false;  // wrong, but the program has no derivative there
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
    ComparedLeaf leaf{
        analytic[i], Array::filled(p.shape(), not_known, DType::f64), std::vector<bool>(p.size()), false, {}};
    for (std::size_t k = 0; k < p.size(); ++k)
      if (std::isnan(analytic[i].flat(k))) leaf.analytic.set_flat(k, not_known);  // without a sign, which means nothing
    leaf.row.name = p.name();
    leaf.row.entries = p.size();
    leaves_.push_back(std::move(leaf));
    typical_.push_back(root_mean_square(p.value()));
    largest_.push_back(largest_of(analytic[i]));
  }
  const Objective::Size size = objective.size();
  size_ = size.terms + size.beneath;
  // below the smallest normal number, rounding is no longer relative
  noise_ = epsilon_ * size.beneath + (epsilon_ > 0x1p-40 ? 0x1p-126 : 0x1p-1022);
  runs_ = affordable / size.computed;
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
          scale(leaf, position), epsilon_, noise_};
}

VCurve Comparison::curve(MovedLeaf& moved, std::size_t leaf, std::size_t position) const {
  return measured(line(moved, leaf, position), leaves_[leaf].analytic.flat(position), tolerance_,
                  std::abs(moved.at(position)));
}

double Comparison::quick(MovedLeaf& moved, std::size_t leaf, std::size_t position) {
  if (forward_) {
    Array unit(objective_.leaves()[leaf].parameter.shape(), DType::f64);
    unit.set_flat(position, 1);
    return objective_.forward(leaf, unit).value;
  }
  if (options_.mode == CheckMode::extrapolated) return curve(moved, leaf, position).numeric;
  return central_difference(line(moved, leaf, position), first_step(epsilon_));
}

// What an error of a derivative is measured with: the derivatives themselves,
double Comparison::own_scale(std::size_t leaf, double a, double n) const {
  return std::max({std::abs(a), std::abs(n), 1e-2 * largest_[leaf], 1e-5 * largest_of_all_});
}

// and the rounding errors that the size of the objective brings.
double Comparison::denominator(std::size_t leaf, std::size_t position, double a, double n) const {
  return std::max({own_scale(leaf, a, n), 1e-5 * size_ / scale(leaf, position), std::numeric_limits<double>::min()});
}

Comparison::Found Comparison::judge(MovedLeaf& moved, std::size_t leaf, std::size_t position, double n) {
  const double a = leaves_[leaf].analytic.flat(position);
  const auto found = [&](double numeric, double absolute) {
    const double relative = absolute / denominator(leaf, position, a, numeric);
    Found result{numeric, absolute, relative, !(relative <= tolerance_)};  // NaN is no agreement
    // small only beside the size of the objective: its rounding errors hide more than that
    result.in_rounding = !result.wrong && absolute > std::max(visible, tolerance_) * own_scale(leaf, a, numeric);
    return result;
  };
  Found first = found(n, std::abs(a - n));
  const std::size_t believed = leaves_[leaf].row.wrong - leaves_[leaf].wrong_at_kinks;
  if (!first.wrong || forward_ || std::isnan(a) || believed >= enough_wrong()) return first;

  const VCurve curve = this->curve(moved, leaf, position);
  if (curve.verdict == VCurve::Verdict::kink || curve.verdict == VCurve::Verdict::jump) {
    const double unclear = tolerance_ > 16 * epsilon_ ? 4 * curve.uncertainty : 0;
    Found at_kink = found(curve.numeric, std::max(0.0, outside(a, curve.left, curve.right) - unclear));
    at_kink.wrong_at_kink = at_kink.wrong && curve.verdict == VCurve::Verdict::kink;
    if (kinks_excused_ && at_kink.wrong_at_kink) at_kink.wrong = at_kink.wrong_at_kink = false;
    at_kink.at_a_kink = !at_kink.wrong;
    return at_kink;
  }
  Found best = found(curve.numeric, std::abs(a - curve.numeric));
  // a tolerance below the precision of the numbers is taken at its word
  best.in_rounding = best.wrong && tolerance_ > 16 * epsilon_ && best.absolute <= 4 * curve.uncertainty;
  best.wrong = best.wrong && !best.in_rounding;
  return best;
}

// From so many wrong entries on, the first difference is believed.
std::size_t Comparison::enough_wrong() const {
  return static_cast<std::size_t>(std::clamp(runs_ / runs_of_a_curve, 1.0, double{most_measured}));
}

std::vector<std::size_t> Comparison::positions(std::size_t leaf) const {
  const std::size_t size = leaves_[leaf].analytic.size();
  const auto sampled =
      static_cast<std::size_t>(std::clamp(runs_ / runs_of_a_difference, double{least_sampled}, double{most_sampled}));
  const bool all = options_.mode == CheckMode::entries || options_.mode == CheckMode::extrapolated || size <= sampled;
  std::vector<std::size_t> result(all ? size : sampled);
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
  row.wrong = row.compared = row.at_a_kink = row.in_rounding = compared.wrong_at_kinks = 0;
  row.entry.clear();
  compared.uneven = false;
  row.passed = true;
  MovedLeaf moved(objective_.leaves()[leaf].parameter);
  bool first = true;
  for (const std::size_t i : positions(leaf)) {
    const double quick = compared.numeric.flat(i);
    const Found found = judge(moved, leaf, i, quick);
    compared.uneven = compared.uneven || (!found.wrong && found.numeric != quick);
    compared.numeric.set_flat(i, found.numeric);
    compared.wrong[i] = found.wrong;
    row.wrong += found.wrong;
    compared.wrong_at_kinks += found.wrong_at_kink;
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
                     1, epsilon_, noise_};
    double n = 0, allowance = 0, floor = 0;
    if (forward_) {
      const Objective::Directional tangent = objective_.forward(leaf, direction);
      n = tangent.value;
      floor = std::max({1e-2 * a.scale, 1e-2 * tangent.scale, 1e-5 * size_});
    } else {
      n = central_difference(along, first_step(epsilon_));
      floor = std::max(1e-2 * gradient, 1e-5 * size_);
    }
    const auto allowed = [&] {
      return tolerance_ * std::max({std::abs(a.value), std::abs(n), floor, std::numeric_limits<double>::min()});
    };
    if (!forward_ && row.wrong < enough_wrong() && !(std::abs(a.value - n) <= allowed())) {
      const VCurve curve = measured(along, a.value, tolerance_, smallest_of(p.value()) / length);
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
  const bool silent = row.at_a_kink == row.compared;  // then the entries have to say it
  if (gradient > 0 && !(silent && positions(leaf).size() == row.entries))
    miss_probability_ = std::max(miss_probability_, missed);
  return row.passed && !silent;
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
    const double n = largest_of(leaves_[leaf].numeric);
    if (std::isfinite(n) && n > 0) largest_[leaf] = n;
    if (std::isfinite(largest_[leaf])) largest_of_all_ = std::max(largest_of_all_, largest_[leaf]);
  }
  for (const std::size_t leaf : in_detail) {
    const GradcheckRow by_direction = leaves_[leaf].row;
    by_entries(leaf);
    // A fault that is too small for a single entry remains one of the direction. But where all entries are right, and some of them at or near a kink, the
    // direction crossed several.
    const GradcheckRow& row = leaves_[leaf].row;
    const bool crossed = leaves_[leaf].uneven && row.compared == row.entries;
    if (!by_direction.passed && !by_direction.entry.empty() && row.passed && !crossed) leaves_[leaf].row = by_direction;
  }
  return leaves_;
}

std::vector<ComparedLeaf> Comparison::run_without_kinks() {
  kinks_excused_ = true;
  for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf)
    if (leaves_[leaf].wrong_at_kinks > 0) by_entries(leaf);
  return leaves_;
}

VCurve Comparison::curve(std::size_t leaf, std::size_t position) {
  MovedLeaf moved(objective_.leaves()[leaf].parameter);
  const double a = leaves_[leaf].analytic.flat(position);
  VCurve curve = this->curve(moved, leaf, position);
  if (curve.verdict != VCurve::Verdict::right) return curve;
  const double error = std::abs(a - curve.numeric),
               allowed = tolerance_ * denominator(leaf, position, a, curve.numeric);
  if (error <= allowed) return curve;
  curve.verdict = error <= 4 * curve.uncertainty ? VCurve::Verdict::rounding : VCurve::Verdict::wrong;
  return curve;
}

}  // namespace unroll::detail
