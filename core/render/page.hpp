#pragma once

#include <unroll/core/render/page_model.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::drawing {

// A file that the page is made of: page.html, the template, page.css and page.js.
struct PageFile {
  std::string_view name, text;
};

// All of them, as they were built in (the definition is made by cmake/embed.cmake from core/render/page).
std::span<const PageFile> page_files();

// The drawings that the page shows, from the finest level to the coarsest. A level that puts nothing together that the one before it does not is left out, unless it is
// the one that options ask for. All of the tape is drawn: the page itself leaves out what the reader does not want to see, so that options.collapse and
// options.budget do not count. Throws Error where compose does.
std::vector<LeveledDrawing> compose_levels(const Tape& tape, const RenderOptions& options);

// The interactive page, one HTML file that needs no other: the template, with the title of the drawing, the style sheet, the program and the model
// (page_model.hpp). Throws Error where page_model does.
std::string page_text(const Tape& tape, const std::vector<LeveledDrawing>& drawings, const RenderOptions& options);

}  // namespace unroll::drawing
