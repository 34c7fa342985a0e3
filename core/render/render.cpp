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

}  // namespace

std::string render(const Tape& tape, const RenderOptions& options) {
  if (options.format == Format::html) return drawing::page_text(tape, drawing::compose_levels(tape, options), options);
  const drawing::Drawing drawing = drawing::compose(tape, options);
  switch (options.format) {
    case Format::dot: return drawing::dot_text(drawing, options.theme);
    case Format::svg: return drawing::svg_text(drawing, options.theme);
    case Format::png: return drawing::png_of(drawing::svg_text(drawing, options.theme)).bytes;
    case Format::pdf: return drawing::pdf_of(drawing::svg_text(drawing, options.theme)).bytes;
    case Format::json: return drawing::json_text(tape, drawing, options);
    case Format::html: break;  // see above
  }
  throw Error(fmt::format("render: there is no format {}", static_cast<int>(options.format)));
}

void render(const Tape& tape, std::ostream& out, const RenderOptions& options) {
  const std::string text = render(tape, options);
  if (!out.write(text.data(), static_cast<std::streamsize>(text.size())))
    throw Error("render: the stream takes no more");
}

void render(const Tape& tape, const std::filesystem::path& file, const RenderOptions& options) {
  RenderOptions by_suffix = options;
  by_suffix.format = format_of(file);
  write_whole_file(file, render(tape, by_suffix));
}

}  // namespace unroll
