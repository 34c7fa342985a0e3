#include <unroll/core/render/draw.hpp>

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/dot.hpp>
#include <unroll/core/render/graphviz.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

namespace {

// Bitmaps are made for high-resolution screens, up to the largest width that the library can paint.
std::string resolution(const drawing::Rectangle& box) {
  const double longest = std::max({box.width(), box.height(), 1.0});
  return fmt::format("dpi={:.1f}", std::min(144.0, 72 * 30000 / longest));
}

}  // namespace

std::string to_dot(const Tape& tape, const DrawOptions& options) {
  return drawing::dot_text(drawing::compose(tape, options));
}

void draw(const Tape& tape, const std::filesystem::path& file, const DrawOptions& options) {
  const std::string suffix = file.extension().string();
  if (suffix != ".dot" && suffix != ".svg" && suffix != ".png" && suffix != ".pdf")
    throw Error(fmt::format("draw: {} is not a suffix that can be drawn: .dot, .svg, .png or .pdf  [{}]",
                            suffix.empty() ? "no suffix" : suffix, file.string()));
  const drawing::Drawing drawing = drawing::compose(tape, options);
  if (suffix == ".dot") return write_whole_file(file, drawing::dot_text(drawing));
  const std::string text = drawing::dot_text(drawing, suffix == ".png" ? resolution(drawing.box) : "");
  write_whole_file(file, drawing::LaidOutGraph(text, "nop2").render(suffix.c_str() + 1));
}

}  // namespace unroll
