#include <unroll/core/render/heat_map.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/escape.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

// Cividis, from dark to light.
constexpr std::array<std::array<double, 3>, 5> stops{
    {{0, 34, 78}, {67, 78, 108}, {125, 124, 120}, {188, 175, 111}, {254, 232, 56}}};

std::string colour(double fraction) {
  const double at = std::clamp(fraction, 0.0, 1.0) * (stops.size() - 1);
  const auto low = std::min<std::size_t>(static_cast<std::size_t>(at), stops.size() - 2);
  std::array<int, 3> mixed{};
  for (std::size_t k = 0; k < 3; ++k)
    mixed[k] = static_cast<int>(
        std::lround(stops[low][k] + (at - static_cast<double>(low)) * (stops[low + 1][k] - stops[low][k])));
  return fmt::format("#{:02x}{:02x}{:02x}", mixed[0], mixed[1], mixed[2]);
}

bool drawable(double value) { return std::isfinite(value) && value > 0; }

// The logarithms of the smallest and the largest value.
std::pair<double, double> range(const HeatMap& map) {
  if (map.values.size() != map.ys.size())
    throw Error(fmt::format("heat map {}: {} rows for {} ys", map.title, map.values.size(), map.ys.size()));
  double low = 400, high = -400;
  for (const auto& row : map.values) {
    if (row.size() != map.xs.size())
      throw Error(fmt::format("heat map {}: a row of {} values for {} xs", map.title, row.size(), map.xs.size()));
    for (const double value : row)
      if (drawable(value)) {
        low = std::min(low, std::log10(value));
        high = std::max(high, std::log10(value));
      }
  }
  if (low > high) throw Error(fmt::format("heat map {}: no value is above 0", map.title));
  low = std::max(std::floor(low), std::ceil(high) - map.decades);
  return {low, std::max(std::ceil(high), low + 1)};
}

std::string text(double x, double y, const char* anchor, const std::string& words, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     drawing::escaped(words));
}

}  // namespace

std::string to_svg(const HeatMap& map) {
  const auto [low, high] = range(map);
  constexpr double left = 70, top = 34, size = 400, legend = 24;
  const double w = size / static_cast<double>(map.xs.size()), h = size / static_cast<double>(map.ys.size());
  std::string svg =
      "<svg viewBox=\"0 0 600 500\" xmlns=\"http://www.w3.org/2000/svg\" class=\"heat\" role=\"img\" "
      "shape-rendering=\"crispEdges\" font-size=\"13\" "
      "font-family=\"Helvetica, Arial, sans-serif\" fill=\"currentColor\">\n" +
      text(left + size / 2, 18, "middle", map.title);
  for (std::size_t r = 0; r < map.values.size(); ++r)
    for (std::size_t c = 0; c < map.xs.size(); ++c) {
      const double value = map.values[r][c];
      if (!drawable(value)) continue;
      svg += fmt::format(
          "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"><title>{} {:g}, {} {:g}: "
          "{:.3g}</title></rect>\n",
          left + w * static_cast<double>(c), top + size - h * static_cast<double>(r + 1), w, h,
          colour((std::log10(value) - low) / (high - low)), drawing::escaped(map.y_label), map.ys[r],
          drawing::escaped(map.x_label), map.xs[c], value);
    }
  svg += fmt::format("<path d=\"M{0},{1} V{2} H{3}\" fill=\"none\" stroke=\"currentColor\"/>\n", left, top, top + size,
                     left + size);
  const auto label = [](const std::vector<double>& all, std::size_t i) { return fmt::format("{:g}", all[i]); };
  for (const std::size_t c : {std::size_t{0}, map.xs.size() / 2, map.xs.size() - 1})
    svg += text(left + w * (static_cast<double>(c) + 0.5), top + size + 18, "middle", label(map.xs, c));
  for (const std::size_t r : {std::size_t{0}, map.ys.size() / 2, map.ys.size() - 1})
    svg += text(left - 8, top + size - h * (static_cast<double>(r) + 0.5) + 4, "end", label(map.ys, r));
  svg += text(left + size / 2, top + size + 40, "middle", map.x_label);
  svg += text(0, 0, "middle", map.y_label, " transform=\"translate(20 234) rotate(-90)\"");
  constexpr int shades = 40;
  for (int k = 0; k < shades; ++k)
    svg += fmt::format("<rect x=\"{}\" y=\"{:.2f}\" width=\"{}\" height=\"{:.2f}\" fill=\"{}\"/>\n", left + size + 30,
                       top + size * (shades - 1 - k) / shades, legend, size / shades, colour((k + 0.5) / shades));
  for (const double at : {low, std::round((low + high) / 2), high})
    svg += text(left + size + 30 + legend + 6, top + size * (high - at) / (high - low) + 4, "start",
                fmt::format("1e{:g}", at));
  return svg + "</svg>\n";
}

}  // namespace unroll
