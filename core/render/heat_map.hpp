#pragma once

#include <string>
#include <vector>

namespace unroll {

// A table of positive numbers as a field of colours, on a logarithmic scale.
struct HeatMap {
  std::string title, x_label, y_label;      // above, below and beside
  std::vector<double> xs, ys;               // what the columns and rows stand for
  std::vector<std::vector<double>> values;  // a row for each y; what is 0, negative or not finite stays empty
  double decades = 12;                      // below the largest value by more than that, all have the darkest colour
};

// The map as an SVG element for a page, in the colours of cividis, which colour-blind readers see as others do (Nunez, Anderton and Renslow 2018); letters
// have the colour of the page. The first row is drawn at the bottom. Throws Error if the table does not fit xs and ys, or no value is positive.
std::string to_svg(const HeatMap& map);

}  // namespace unroll
