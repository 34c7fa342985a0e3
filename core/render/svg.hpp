#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

#include <string>

namespace unroll::drawing {

// The font families of all writers, for letters of all scripts; as CSS.
inline constexpr const char* font_families = "Helvetica,Arial,'Noto Sans KR',NanumGothic,sans-serif";

// A drawing as an SVG file. Sizes are in points. It stands for itself (no scripts, no other files), says its title and description to screen
// readers, and every box has its tooltip. Below the drawing: the legend of the gradients, where there are any, and the notes.
std::string svg_text(const Drawing& drawing, Theme theme);

}  // namespace unroll::drawing
