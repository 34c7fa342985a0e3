#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

#include <array>
#include <string>
#include <string_view>

// Which colours, widths and dashes the roles of a drawing have in each theme. Hues follow Okabe and Ito, and gradients the scale viridis, which
// colour-blind readers can tell apart; `print` has greys, dashes and widths in their place.
namespace unroll::drawing {

// Letters stand on the fill with a contrast of at least 4.5:1 (WCAG 2.1, AA). Colours are "#RRGGBB".
struct Paint {
  std::string_view fill, border, letters;
  double width = 0.8;          // of the border, in points
  std::string_view dash = {};  // of the border: lengths in points, "4 3"; "" is solid
};

struct Stroke {
  std::string_view colour;
  double width = 1;
  std::string_view dash = {};
};

inline constexpr int tint_count = 6;    // forget, input, candidate, output, reset, update
inline constexpr int scale_steps = 24;  // of gradients

struct Palette {
  std::string_view background, ink, faint;  // faint letters are still readable on the background
  Paint operation, result, state, input, port, parameter, gate, cell, gap;
  // Operations, results, whole gates and frames in a gate of some tint.
  std::array<Paint, tint_count> tint_operation, tint_result, tint_gate, tint_frame;
  Paint step_frame, layer_frame, gate_frame;
  Stroke data, state_line, parameter_line, cut, backward;
  // Gradients: their lines, and the box whose gradient is NaN or infinite.
  std::array<std::string_view, scale_steps> scale;  // from the smallest to the largest
  Stroke absent, zero, broken;
  Paint broken_box;
  std::string_view bar, bar_border;
};

const Palette& palette(Theme theme);

// "forget" and "forget gate f" have tint 0; no_tint for what no gate is called.
int tint_of(std::string_view part);

// The tint in a palette: of any number, in turn.
inline std::size_t tint_index(int tint) { return static_cast<std::size_t>(tint % tint_count); }

// 0 .. scale_steps - 1, from a level 0 .. 1.
int scale_step(double level);
// Of a line, in points: from a hairline to four points.
double scale_width(int step);

// How a box, a line or a frame is painted, with its gradient.
Paint paint_of(const Palette& palette, const DrawnNode& node);
Paint paint_of(const Palette& palette, const DrawnFrame& frame);
Stroke stroke_of(const Palette& palette, const DrawnEdge& edge);
// The border that a gradient gives a box; of one that was asked for.
Stroke border_of(const Palette& palette, const Flow& flow);

// What a box says: its text, and NaN or Inf where its gradient is broken, even if it had no line for that.
Text text_of(const DrawnNode& node);

// Black or white, whichever is easier to read on "#RRGGBB".
std::string_view letters_on(std::string_view fill);

}  // namespace unroll::drawing
