#include <unroll/core/render/contributions.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/grad/gradients.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double highest = 44, bar_width = 26, distance = 30;

double product(const ArrayView& a, const ArrayView& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a.flat(i) * b.flat(i);
  return sum;
}

std::string short_name(const Parameter& parameter) { return parameter.name().substr(parameter.name().rfind('.') + 1); }

}  // namespace

std::vector<DrawnBar> contributions(const Parameter& parameter, const Gradients& gradients) {
  std::vector<DrawnBar> bars;
  const ArrayView gradient = gradients[parameter];
  const double square = product(gradient, gradient);
  for (const std::int64_t step : gradients.contribution_steps(parameter)) {
    const ArrayView part = gradients.contribution(parameter, step);
    DrawnBar bar;
    bar.step = static_cast<std::int32_t>(step);
    bar.norm = norm(part);
    bar.share = square > 0 ? product(part, gradient) / square : std::numeric_limits<double>::quiet_NaN();
    bars.push_back(bar);
  }
  return bars;
}

void add_contributions(const Tape& tape, const Parameter& parameter, const Gradients* gradients, Drawing& drawing) {
  if (!gradients)
    throw Error(fmt::format("render: contributions to {} need gradients, but there are none in the options", parameter.name()));
  if (tape.find(parameter) == no_node)
    throw Error(fmt::format("render: the parameter {} is not on this tape", parameter.name()));
  std::vector<DrawnBar> bars;
  if (gradients->contains(parameter)) bars = contributions(parameter, *gradients);
  if (bars.empty())
    throw Error(fmt::format("render: no contributions to {} were kept: backward(loss, {{.by_step = {{parameter}}}}) keeps them",
                            parameter.name()));
  double largest = 0;
  for (const DrawnBar& bar : bars)
    if (std::isfinite(bar.norm)) largest = std::max(largest, bar.norm);
  const double base = drawing.box.bottom - distance - highest;
  for (DrawnBar& bar : bars) {
    const auto frame = std::find_if(drawing.frames.begin(), drawing.frames.end(), [&](const DrawnFrame& f) {
      return f.kind == DrawnFrame::Kind::step && f.label == fmt::format("t = {}", bar.step);
    });
    if (frame == drawing.frames.end()) continue;  // a step that is not drawn by itself
    const double x = frame->box.centre().x;
    const double height = largest > 0 && std::isfinite(bar.norm) ? highest * bar.norm / largest : 0;
    bar.box = {x - bar_width / 2, base, x + bar_width / 2, base + height};
    bar.label = fmt::format("∇ {}  ({:.1f} %)", number(bar.norm), 100 * bar.share);
    bar.label_at = {x, base - 8};
    drawing.bars.push_back(bar);
  }
  const double total = gradients->norm(parameter);
  drawing.texts.push_back({fmt::format("dL/d{}: what each step contributes (|dL/d{}| = {})", short_name(parameter),
                                       short_name(parameter), number(total)),
                           {drawing.box.centre().x, base - 22},
                           9});
  drawing.box.bottom = base - 32;
}

}  // namespace unroll::drawing
