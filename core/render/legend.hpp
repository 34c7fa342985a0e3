#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/svg_text.hpp>
#include <unroll/core/render/theme.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a reader needs to know above and below a drawing.
namespace unroll::drawing {

// The title, in points: the size of its letters, and the room that it takes above the drawing.
inline constexpr double heading_size = 13, heading_height = 22;

// A number in powers of ten, the exponent apart: {"3.2·10", "-5"}, {"10", "2"}; {"0", ""} for zero.
std::pair<std::string, std::string> power_of_ten(double value);

// The same in one line, for writers of plain text: "3.2·10⁻⁵".
std::string power_of_ten_line(double value);

// The height of the legend and the notes below a drawing as wide as this, and the width that they need at least.
struct LegendSize {
  double width = 0, height = 0;
};
LegendSize legend_size(const Drawing& drawing, double width);

// Writes them, with the upper left corner there (y downwards).
void write_legend(SvgText& out, StyleSheet& styles, const Drawing& drawing, const Palette& palette, double width,
                  Point corner);

// The same as lines of text; empty without gradients and notes.
std::vector<std::string> legend_lines(const Drawing& drawing);

}  // namespace unroll::drawing
