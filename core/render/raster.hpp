#pragma once

#include <string>

// Pictures of an SVG text (svg.hpp), by librsvg and cairo: all formats look alike. Equal texts give equal bytes.
namespace unroll::drawing {

struct Raster {
  std::string bytes;
  std::string note;  // for the reader, where it is not the picture that was asked for; or ""
};

inline constexpr double full_resolution = 144, least_resolution = 18;  // pixels to the inch
inline constexpr double longest_side = 16384, most_pixels = 100e6;     // of a PNG
inline constexpr double longest_page = 14400;                          // of a PDF, in points: what its readers can show

// With 144 pixels to the inch, or as many as fit into 16,384 pixels on a side and 100 megapixels, which the note says. Throws Error where fewer
// than 18 would fit, or with the reason of the library that fails.
Raster png_of(const std::string& svg);

// One page of the size of the drawing; scaled down to 200 inches where it is longer, which the note says.
Raster pdf_of(const std::string& svg);

}  // namespace unroll::drawing
