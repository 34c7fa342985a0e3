#include <unroll/cli/check_picture.hpp>

#include <unroll/core/render/gnuplot.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

// A straight line of the picture: from one point, with a power of the step, over the steps at which it is above the floor.
PlotSeries slope(const char* label, const VCurve::Point& from, double error, int power, const PlotSeries& errors,
                 double floor) {
  PlotSeries line{.label = label, .xs = {}, .ys = {}, .points = false};
  for (const double h : errors.xs)
    if (const double y = error * std::pow(h / from.step, power); y >= floor && y <= error * 1.001) {
      line.xs.push_back(h);
      line.ys.push_back(y);
    }
  return line;
}

}  // namespace

void draw(const VCurve& curve, const std::filesystem::path& file) {
  PlotSeries errors{.label = "|difference - analytic|", .xs = {}, .ys = {}};
  double floor = HUGE_VAL;
  for (const VCurve::Point& point : curve.points) {
    errors.xs.push_back(point.step);
    errors.ys.push_back(std::abs(point.central - curve.analytic));
    if (errors.ys.back() > 0) floor = std::min(floor, errors.ys.back());
  }
  Plot plot{
      .title = fmt::format("Error of central differences, {}", curve.entry), .x_label = "step h", .y_label = "error"};
  plot.log_x = plot.log_y = true;
  plot.id = "vcurve";
  plot.series = {errors};
  if (curve.verdict == VCurve::Verdict::right)  // the two sides of the V, where there is one
    for (const PlotSeries& side :
         {slope("truncation, like h^2", curve.points.front(), errors.ys.front(), 2, errors, floor),
          slope("rounding, like 1/h", curve.points.back(), errors.ys.back(), -1, errors, floor)})
      if (!side.xs.empty()) plot.series.push_back(side);
  unroll::draw(plot, file);
}

}  // namespace unroll::cli
