#include <unroll/core/render/render.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/dot.hpp>
#include <unroll/core/render/json.hpp>
#include <unroll/core/render/page.hpp>
#include <unroll/core/render/raster.hpp>
#include <unroll/core/render/svg.hpp>

#include <array>
#include <ostream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::array<std::pair<std::string_view, Format>, 6> suffixes{{{".dot", Format::dot},
                                                                       {".svg", Format::svg},
                                                                       {".png", Format::png},
                                                                       {".pdf", Format::pdf},
                                                                       {".json", Format::json},
                                                                       {".html", Format::html}}};

Format format_of(const std::filesystem::path& file) {
  const std::string suffix = file.extension().string();
  for (const auto& [known, format] : suffixes)
    if (suffix == known) return format;
  throw Error(fmt::format("render: {} is not a suffix that can be drawn: .dot, .svg, .png, .pdf, .json or .html  [{}]",
                          suffix.empty() ? "no suffix" : suffix, file.string()));
}

// In points: at 36 pixels to the inch, the smallest letters are about 4 pixels high.
constexpr double widest_bitmap = drawing::longest_side * 72 / 36;

struct Rendered {
  std::string bytes;
  RenderReport report;
};

Rendered rendered(const Tape& tape, const RenderOptions& options) {
  drawing::require_valid(options);
  Rendered result;
  if (options.format == Format::html) {
    const std::vector<drawing::LeveledDrawing> levels = drawing::compose_levels(tape, options);
    result.bytes = drawing::page_text(tape, levels, options);
    for (const drawing::LeveledDrawing& level : levels)
      if (level.level == options.level) result.report.boxes = level.drawing.nodes.size();
    return result;
  }
  drawing::Drawing drawing = drawing::compose(tape, options);
  // Of a bitmap, the budget is also what can be read on it.
  RenderOptions smaller = options;
  constexpr std::int64_t least_budget = 100;
  while (options.format == Format::png && smaller.budget > least_budget && drawing.box.width() > widest_bitmap) {
    smaller.budget /= 2;
    drawing = drawing::compose(tape, smaller);
  }
  result.report = {drawing.nodes.size(), drawing.notes};
  const auto picture = [&](drawing::Raster (*raster)(const std::string&)) {
    drawing::Raster made = raster(drawing::svg_text(drawing, options.theme));
    if (!made.note.empty()) result.report.notes.push_back(std::move(made.note));
    return std::move(made.bytes);
  };
  switch (options.format) {
    case Format::dot: result.bytes = drawing::dot_text(drawing, options.theme); break;
    case Format::svg: result.bytes = drawing::svg_text(drawing, options.theme); break;
    case Format::png: result.bytes = picture(drawing::png_of); break;
    case Format::pdf: result.bytes = picture(drawing::pdf_of); break;
    case Format::json: result.bytes = drawing::json_text(tape, drawing, options); break;
    case Format::html: break;  // see above
  }
  return result;
}

}  // namespace

std::string render(const Tape& tape, const RenderOptions& options) { return rendered(tape, options).bytes; }

void render(const Tape& tape, std::ostream& out, const RenderOptions& options) {
  const std::string text = render(tape, options);
  if (!out.write(text.data(), static_cast<std::streamsize>(text.size())))
    throw Error("render: the stream takes no more");
}

RenderReport render(const Tape& tape, const std::filesystem::path& file, const RenderOptions& options) {
  RenderOptions by_suffix = options;
  by_suffix.format = format_of(file);
  Rendered all = rendered(tape, by_suffix);
  write_whole_file(file, all.bytes);
  return std::move(all.report);
}

}  // namespace unroll
