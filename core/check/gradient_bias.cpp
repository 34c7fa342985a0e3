#include <unroll/core/check/gradient_bias.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace unroll {

namespace {

// The four sums from which everything follows; those of all parameters are the sums of these.
struct Sums {
  double approximate = 0, exact = 0, product = 0, difference = 0;

  void add(double a, double e) {
    approximate += a * a;
    exact += e * e;
    product += a * e;
    difference += (a - e) * (a - e);
  }
  void add(const Sums& other) {
    approximate += other.approximate;
    exact += other.exact;
    product += other.product;
    difference += other.difference;
  }
  GradientDistance distance(std::string name) const {
    const double a = std::sqrt(approximate), e = std::sqrt(exact), d = std::sqrt(difference);
    return {std::move(name), a, e, d == 0 ? 0 : d / e,
            a == 0 || e == 0 ? std::numeric_limits<double>::quiet_NaN() : product / (a * e)};
  }
};

}  // namespace

GradientBias gradient_bias(const Gradients& approximate, const Gradients& exact,
                           std::span<const Parameter> parameters) {
  if (parameters.empty()) throw Error("gradient_bias: no parameters were given");
  GradientBias bias;
  Sums all;
  for (const Parameter& p : parameters) {
    const ArrayView e = exact[p];
    const bool reached = approximate.contains(p);
    const ArrayView a = reached ? approximate[p] : e;
    Sums sums;
    for (std::size_t i = 0; i < e.size(); ++i) sums.add(reached ? a.flat(i) : 0, e.flat(i));
    all.add(sums);
    bias.parameters.push_back(sums.distance(p.name()));
  }
  bias.all = all.distance("all");
  return bias;
}

std::string to_string(const GradientBias& bias) {
  std::size_t width = 9;
  for (const GradientDistance& d : bias.parameters) width = std::max(width, d.name.size());
  std::string text = fmt::format("{:<{}}  {:>14}  {:>9}  {:>10}  {:>10}\n", "parameter", width, "relative error",
                                 "cosine", "|g~|", "|g|");
  const auto line = [&](const GradientDistance& d) {
    const std::string cosine = std::isnan(d.cosine) ? "-" : fmt::format("{:.6f}", d.cosine);
    text += fmt::format("{:<{}}  {:>14.3g}  {:>9}  {:>10.4g}  {:>10.4g}\n", d.name, width, d.relative_error, cosine,
                        d.approximate_norm, d.exact_norm);
  };
  for (const GradientDistance& d : bias.parameters) line(d);
  line(bias.all);
  return text;
}

}  // namespace unroll
