#include <unroll/core/render/contributions.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/grad/gradients.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double highest = 44, bar_width = 26, distance = 30;

std::string percent(double share) { return std::isnan(share) ? "–" : fmt::format("{:.1f} %", 100 * share + 0.0); }

// The bar of the contributions of some steps, as one.
DrawnBar bar_of(const Parameter& parameter, const Gradients& gradients, const std::vector<std::int64_t>& steps) {
  const ArrayView gradient = gradients[parameter];
  std::vector<double> sum(gradient.size());
  for (const std::int64_t step : steps) {
    const ArrayView part = gradients.contribution(parameter, step);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part.flat(i);
  }
  double along = 0, square = 0, norm = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    along += sum[i] * gradient.flat(i);
    square += gradient.flat(i) * gradient.flat(i);
    norm += sum[i] * sum[i];
  }
  DrawnBar bar;
  bar.step = static_cast<std::int32_t>(steps.front());
  bar.norm = std::sqrt(norm);
  bar.share = square > 0 ? along / square : std::numeric_limits<double>::quiet_NaN();
  return bar;
}

}  // namespace

std::vector<DrawnBar> contributions(const Parameter& parameter, const Gradients& gradients) {
  std::vector<DrawnBar> bars;
  for (const std::int64_t step : gradients.contribution_steps(parameter))
    bars.push_back(bar_of(parameter, gradients, {step}));
  return bars;
}

void add_contributions(const Tape& tape, const Parameter& parameter, const Gradients* gradients, Drawing& drawing) {
  if (!gradients)
    throw Error(
        fmt::format("render: contributions to {} need gradients, but there are none in the options", parameter.name()));
  if (tape.find(parameter) == no_node)
    throw Error(fmt::format("render: the parameter {} is not on this tape", parameter.name()));
  std::vector<std::int64_t> steps;
  if (gradients->contains(parameter)) steps = gradients->contribution_steps(parameter);
  if (steps.empty())
    throw Error(
        fmt::format("render: no contributions to {} were kept: backward(loss, {{.by_step = {{parameter}}}}) keeps them",
                    parameter.name()));
  std::vector<DrawnBar> bars;
  std::vector<std::int64_t> outside = steps;  // of all steps that are drawn
  double largest = 0;
  for (const DrawnFrame& frame : drawing.frames) {
    if (frame.kind != DrawnFrame::Kind::step) continue;
    // the frames of the backward pass come after those of the forward pass, which have the bars
    if (std::any_of(bars.begin(), bars.end(),
                    [&](const DrawnBar& b) { return b.step >= frame.first_step && b.step <= frame.last_step; }))
      continue;
    std::vector<std::int64_t> inside;
    for (const std::int64_t step : steps)
      if (step >= frame.first_step && step <= frame.last_step) inside.push_back(step);
    if (inside.empty()) continue;
    for (const std::int64_t step : inside) std::erase(outside, step);
    DrawnBar bar = bar_of(parameter, *gradients, inside);
    if (std::isfinite(bar.norm)) largest = std::max(largest, bar.norm);
    bar.label_at.x = frame.box.centre().x;
    bars.push_back(bar);
  }
  const double base = drawing.box.bottom - distance - highest;
  for (DrawnBar& bar : bars) {
    const double x = bar.label_at.x;
    const double height = largest > 0 && std::isfinite(bar.norm) ? highest * bar.norm / largest : 0;
    bar.box = {x - bar_width / 2, base, x + bar_width / 2, base + height};
    bar.label = fmt::format("∇ {}  ({})", number(bar.norm), percent(bar.share));
    bar.label_at = {x, base - 8};
  }
  drawing.bars = std::move(bars);
  std::string caption = fmt::format("dL/d{}: what each step contributes (|dL/d{}| = {})", parameter.name(),
                                    parameter.name(), number(gradients->norm(parameter)));
  if (!outside.empty())
    caption += fmt::format("; uses outside of these steps: {}", percent(bar_of(parameter, *gradients, outside).share));
  drawing.texts.push_back({caption, {drawing.box.centre().x, base - 22}, 9});
  drawing.box.bottom = base - 32;
}

}  // namespace unroll::drawing
