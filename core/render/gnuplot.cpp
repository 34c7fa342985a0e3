#include <unroll/core/render/gnuplot.hpp>

#include <unroll/core/array/process.hpp>
#include <unroll/core/array/whole_file.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace unroll {

namespace {

struct Style {
  std::string_view colour;
  int dashes, mark;
};
// Okabe and Ito 2008, without their black (the axes) and yellow (too faint on white). Dashes and marks are numbers of gnuplot's svg terminal.
constexpr std::array<Style, 6> styles{{{"#0072B2", 1, 7},    // blue, solid, discs
                                       {"#D55E00", 2, 5},    // vermilion, dashes, squares
                                       {"#009E73", 4, 9},    // green, dash and dot, triangles
                                       {"#CC79A7", 3, 11},   // purple, dots, triangles upside down
                                       {"#E69F00", 5, 13},   // orange, dash and two dots, diamonds
                                       {"#56B4E9", 1, 6}}};  // sky blue, solid, rings

// A string of gnuplot's language, on one line.
std::string in_quotes(std::string_view text) {
  std::string result =
      text.starts_with('\'') ? "' " : "'";  // gnuplot takes three quotes at the beginning for something else
  for (const char c : text) result += c == '\'' ? "''" : c == '\n' || c == '\r' ? " " : std::string(1, c);
  return result + "'";
}

bool drawable(double value, bool logarithmic) { return std::isfinite(value) && (!logarithmic || value > 0); }

std::size_t drawable_points(const Plot& plot, const PlotSeries& series) {
  if (series.xs.size() != series.ys.size())
    throw Error(fmt::format("plot {}: series {} has {} xs and {} ys, expected as many", plot.title, series.label,
                            series.xs.size(), series.ys.size()));
  std::size_t count = 0;
  for (std::size_t i = 0; i < series.xs.size(); ++i)
    count += drawable(series.xs[i], plot.log_x) && drawable(series.ys[i], plot.log_y);
  return count;
}

std::string number(double value, bool logarithmic) {
  return drawable(value, logarithmic) ? fmt::format("{:.9g}", value) : "NaN";
}

std::string curve(const Plot& plot, std::size_t i) {
  const PlotSeries& series = plot.series[i];
  const auto index = static_cast<std::size_t>(series.style.value_or(static_cast<int>(i)));
  // the second six have the same colours with other dashes and marks, and so on
  const std::string_view colour = styles[index % styles.size()].colour;
  const auto& [other, dashes, mark] = styles[(index + index / styles.size()) % styles.size()];
  const std::string_view with = !series.line ? "points" : series.points ? "linespoints" : "lines";
  const std::size_t every = series.line ? series.xs.size() / 12 + 1 : 1;
  std::string text = fmt::format("$data{} using 1:2 title {} noenhanced with {} lc rgb '{}'", i,
                                 in_quotes(series.label), with, colour);
  if (series.line) text += fmt::format(" dt {} lw 2", dashes);
  if (series.points || !series.line) text += fmt::format(" pt {} ps 0.55", mark);
  if (series.line && series.points) text += fmt::format(" pointinterval {}", every);
  return text;
}

std::string script(const Plot& plot) {
  std::string text = fmt::format(
      "set terminal svg size {},{} dynamic enhanced font 'Helvetica,13' name {}{}\n"
      "set encoding utf8\n"
      "set key outside right top Left reverse samplen 3 noenhanced\n"
      "set border 3\nset tics nomirror\nset grid back lc rgb '#999999' lw 0.3 dt 3\n"
      "set title {} noenhanced\nset xlabel {} noenhanced\nset ylabel {} noenhanced\n",
      plot.width, plot.height, in_quotes(plot.id), plot.ground ? " background rgb 'white'" : "", in_quotes(plot.title),
      in_quotes(plot.x_label), in_quotes(plot.y_label));
  if (plot.legend > 0) {
    const double right = 1 - static_cast<double>(plot.legend) / plot.width;
    text += fmt::format(
        "set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\nset key at screen {:.4f}, graph 1 left\n",
        90.0 / plot.width, right, right + 0.02);
  }
  if (plot.y_range) text += fmt::format("set yrange [{:.9g}:{:.9g}]\n", plot.y_range->first, plot.y_range->second);
  if (plot.log_x) text += "set logscale x\nunset mxtics\n";
  if (plot.log_y) text += "set logscale y\nunset mytics\nset format y '10^{%T}'\n";
  std::string curves;
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const std::size_t points = drawable_points(plot, plot.series[i]);
    drawn += points;
    if (points == 0) continue;
    text += fmt::format("$data{} << EOD\n", i);
    for (std::size_t k = 0; k < plot.series[i].xs.size(); ++k)
      text += number(plot.series[i].xs[k], plot.log_x) + " " + number(plot.series[i].ys[k], plot.log_y) + "\n";
    text += "EOD\n";
    curves += (curves.empty() ? "plot " : ", ") + curve(plot, i);
  }
  if (drawn == 0)
    throw Error(fmt::format("plot {}: there is no point to draw: every value is missing, infinite{}", plot.title,
                            plot.log_y ? " or not above 0, which a logarithmic axis needs" : " or not a number"));
  return text + curves + "\n";
}

[[noreturn]] void fail(const std::string& why) { throw Error("gnuplot: " + why); }

// Runs gnuplot without anybody's settings and in the language of the standard, so that equal scripts give equal answers.
std::string run(const std::string& commands) {
  try {
    ProcessResult result =
        run_process({"gnuplot", "--default-settings"}, {.input = commands, .environment = {"LC_ALL=C.UTF-8"}});
    if (result.status != 0) fail("it failed: " + result.err);
    return std::move(result.out);
  } catch (const MissingProgram&) {
    fail("this program draws the plots, and it is not installed: the package is called gnuplot-nox");
  }
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

std::string to_svg(const Plot& plot) {
  std::string svg = run(script(plot));
  if (svg.find("</svg>") == std::string::npos) fail("it drew no plot");
  // gnuplot calls marks and groups the same in every file
  for (const std::string_view name : {"gp", "textbox", "greybox", "gnuplot_canvas"})
    for (const std::string_view before : {"id='", "id=\"", "href='#", "href=\"#", "url(#"})
      replace_all(svg, fmt::format("{}{}", before, name), fmt::format("{}{}_{}", before, plot.id, name));
  replace_all(svg, "font-family=\"Helvetica\"", "font-family=\"Helvetica, Arial, sans-serif\"");
  return svg;
}

std::string to_svg(const std::vector<Plot>& plots) {
  std::size_t longest = 0;
  for (const Plot& plot : plots)
    for (const PlotSeries& series : plot.series) longest = std::max(longest, series.label.size());
  int width = 0, height = 0;
  std::string inner;
  for (Plot plot : plots) {
    plot.legend = 85 + 8 * static_cast<int>(longest);
    const std::string svg = to_svg(plot);
    const std::size_t begin = svg.find("<svg");
    inner += fmt::format("<svg x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\"{}", height, plot.width, plot.height,
                         svg.substr(begin + 4));
    width = std::max(width, plot.width);
    height += plot.height;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n<svg viewBox=\"0 0 {} {}\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n{}</svg>\n",
      width, height, inner);
}

void draw(const Plot& plot, const std::filesystem::path& file) {
  if (file.extension() != ".svg") throw Error(fmt::format("a plot is drawn as .svg, not as {}", file.string()));
  require_writable(file);
  write_whole_file(file, to_svg(plot));
}

}  // namespace unroll
