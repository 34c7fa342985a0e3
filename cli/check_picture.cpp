#include <unroll/cli/check_picture.hpp>

#include <unroll/core/render/gnuplot.hpp>

#include <cmath>

#include <fmt/format.h>

namespace unroll::cli {

void draw(const VCurve& curve, const std::filesystem::path& file) {
  PlotSeries errors{.label = "|difference - analytic|", .xs = {}, .ys = {}};
  for (const VCurve::Point& point : curve.points) {
    errors.xs.push_back(point.step);
    errors.ys.push_back(std::abs(point.central - curve.analytic));
  }
  Plot plot{
      .title = fmt::format("Error of central differences, {}", curve.entry), .x_label = "step h", .y_label = "error"};
  plot.log_x = plot.log_y = true;
  plot.id = "vcurve";
  plot.series = {errors};
  unroll::draw(plot, file);
}

}  // namespace unroll::cli
