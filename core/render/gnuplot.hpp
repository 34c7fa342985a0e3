#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Plots of numbers, drawn by the program `gnuplot` (package gnuplot-nox).
namespace unroll {

// One curve: ys[i] over xs[i]. A point that cannot be drawn (NaN, infinite, or not above 0 on a logarithmic axis) leaves a gap.
struct PlotSeries {
  std::string label;           // in the legend
  std::vector<double> xs, ys;  // the points, in order
  bool line = true;            // joined by a line; points alone otherwise
  bool points = true;          // marked, about ten of them on a long curve
  // Colour, dashes and mark, counted from 0: by default the place among the series. What is compared across plots is given the same.
  std::optional<int> style = {};
};

// Curves over one pair of axes.
struct Plot {
  std::string title, x_label, y_label;                    // above, below and beside; empty ones are left out
  bool log_x = false, log_y = false;                      // logarithmic axes
  std::optional<std::pair<double, double>> y_range = {};  // without one, as the numbers need
  std::vector<PlotSeries> series = {};                    // in the order of the legend
  bool ground = true;             // white behind the plot; false leaves it to the page around it
  int width = 860, height = 400;  // in pixels, the legend on the right included
  int legend = 0;  // the width of the legend in pixels, so that several plots align; 0: as its words need
  // Begins the identifiers of the SVG, so that several plots can stand in one page: a letter, then letters and digits.
  std::string id = "plot";
};

// The plot as the text of an SVG file. Colours are those of Okabe and Ito, which remain apart for colour-blind readers; dashes and marks
// tell the series apart, too. Letters and axes have the colour "black", which a page may override. Equal plots
// give equal text. Throws Error if there is nothing to draw, xs and ys differ in length, or gnuplot is missing or fails, with its message.
std::string to_svg(const Plot& plot);

// The plots of one width, one below the other and aligned, as one SVG file. Their `id`s must differ.
std::string to_svg(const std::vector<Plot>& plots);

// Writes the plot to a file that ends in .svg; it appears complete or not at all. Throws Error as above, FileError if it cannot be written.
void draw(const Plot& plot, const std::filesystem::path& file);

}  // namespace unroll
