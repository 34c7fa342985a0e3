#include <unroll/core/render/page.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/escape.hpp>
#include <unroll/core/render/label.hpp>

#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

std::string_view page_file(std::string_view name) {
  for (const PageFile& file : page_files())
    if (file.name == name) return file.text;
  throw Error(fmt::format("{} is not built into this library", name));
}

}  // namespace

std::vector<LeveledDrawing> compose_levels(const Tape& tape, const RenderOptions& options) {
  RenderOptions whole = options;
  whole.collapse = whole.budget = 0;
  std::vector<LeveledDrawing> drawings;
  for (const Level level : {Level::ops, Level::gates, Level::cells, Level::folded}) {
    whole.level = level;
    Drawing drawing = compose(tape, whole);
    const bool is_coarser = drawings.empty() || drawing.nodes.size() < drawings.back().drawing.nodes.size();
    if (is_coarser || level == options.level) drawings.push_back({level, std::move(drawing)});
  }
  return drawings;
}

std::string page_text(const Tape& tape, const std::vector<LeveledDrawing>& drawings, const RenderOptions& options) {
  const std::string model = page_model(tape, drawings, options);
  const std::string& title = drawings.front().drawing.title;
  // In one walk over the template: what was put in is not searched for marks.
  std::string_view rest = page_file("page.html");
  std::string page;
  constexpr std::string_view opening = "<!-- ", closing = " -->";
  for (std::size_t at = rest.find(opening); at != rest.npos; at = rest.find(opening)) {
    const std::size_t end = rest.find(closing, at);
    if (end == rest.npos) break;
    const std::string_view mark = rest.substr(at + opening.size(), end - at - opening.size());
    page += rest.substr(0, at);
    if (mark == "title")
      page += title.empty() ? "unroll" : escaped(clean(title));
    else if (mark == "css")
      page += page_file("page.css");
    else if (mark == "js")
      page += page_file("page.js");
    else if (mark == "model")
      page += model;
    rest.remove_prefix(end + closing.size());
  }
  page += rest;
  return page;
}

}  // namespace unroll::drawing
