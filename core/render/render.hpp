#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/tape.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

// Drawings of recorded programs. Time runs from left to right: every time step is a frame, the layers of a step stand one above the other, and
// steps that are built alike are drawn alike. States (h, c) run from step to step, along one straight line where they are renewed by
// sums and products only. What is recorded outside of time stands to the left or to the right. Any tape can be drawn, not only those of the
// layers in this library: steps, scopes and names are read from the tape (Step, Scope, named). A state whose gradient is cut on its way to another
// step (core/grad/cuts.hpp) runs on a dashed line that says "✂ cut".
namespace unroll {

// What gets a box of its own.
enum class Level {
  ops,    // every operation
  gates,  // every value that has a name (a gate, c, h), with its equation: nameless operations stand in the box of the one that reads them
  cells,  // every layer at every time step
  folded  // every layer once, its states running back into it: the rolled-up network
};

// The name of a level, as on the command line: "gates".
constexpr const char* to_string(Level level) {
  constexpr const char* names[] = {"ops", "gates", "cells", "folded"};
  return names[static_cast<int>(level)];
}

// What a drawing is written as.
enum class Format {
  dot,   // text for Graphviz, with all positions
  svg,   // a picture for pages and screens
  png,   // pixels
  pdf,   // for paper
  json,  // for programs: what is drawn, with its place
  html   // the interactive page, in one file
};

// The colours of a drawing.
enum class Theme {
  light,  // on white
  dark,   // on a dark page
  print   // black on white, with dashes and widths in the place of colours
};

// What a drawing says of values.
enum class ValueView {
  none,        // nothing
  shapes,      // their shapes
  statistics,  // also the smallest, mean and largest element
  numbers      // the numbers themselves, of arrays up to 12 elements; of larger ones, as `statistics`
};

// Where the parameters of a network are drawn.
enum class ParameterView {
  labels,  // in the labels of those that read them: "x W_f"
  nodes    // as nodes of their own, with a line to every use
};

// Where the recorded backward pass (create_graph) is drawn.
enum class BackwardView {
  none,  // nowhere
  below  // in a row below the forward pass, flowing from right to left
};

// What is drawn, and how.
struct RenderOptions {
  // Of a string or a stream. A file's suffix says it.
  Format format = Format::svg;
  Level level = Level::ops;  // how much detail
  // Draws the first and the last `collapse` steps, and one box for those between them ("× 94"). 0 draws all.
  std::int64_t collapse = 0;
  // The largest number of boxes. A drawing that would have more is collapsed to as many steps as fit, and goes to a coarser level if one step is
  // already too large; the drawing says so. 0 means no limit. Not for html, which shows what fits on the screen.
  std::int64_t budget = 4000;
  ParameterView parameters = ParameterView::labels;  // where the weights are
  // The norm |dL/dnode| of every node: as width, colour and number. From a backward pass with Keep::all or create_graph. What was not computed is drawn
  // dashed and grey and says "∇ –", which is not the same as 0; NaN and infinity are red and say so. With BackwardOptions::flows, the line of a state
  // shows what comes back along it, which is a part of the gradient of the state.
  const Gradients* gradients = nullptr;
  // What each time step contributes to the gradient of this parameter, below the steps. Needs `gradients` of a backward pass with
  // by_step = {parameter}.
  std::optional<Parameter> contributions = {};
  BackwardView backward = BackwardView::none;  // whether the adjoint program is drawn
  ValueView values = ValueView::shapes;        // what boxes say of shapes and numbers
  Theme theme = Theme::light;                  // the colours
  std::string title = {};                      // above the drawing
  // What a screen reader says; without one, it is made of what is drawn.
  std::string description = {};
  // Asked for every node that gets a box: another first line. "" leaves what was there.
  std::function<std::string(const Tape&, NodeId)> label = {};
  // Likewise: another colour to fill the box with, "#RRGGBB".
  std::function<std::string(const Tape&, NodeId)> colour = {};
};

// The drawing as text or bytes in options.format. DOT has positions in it (`neato -n2` draws it as it is, `dot` lays it out anew), and identifiers are
// node indices, so equal programs give equal text. Throws Error if there is no backward pass to draw, a hook returns something that is no colour, or
// the graph library fails, with the reason.
// See docs/drawing.md, docs/gallery.md and tutorials/07/README.md.
std::string render(const Tape& tape, const RenderOptions& options = {});
void render(const Tape& tape, std::ostream& out, const RenderOptions& options = {});

// What became of a drawing.
struct RenderReport {
  std::size_t boxes = 0;  // at the level that is shown first
  std::vector<std::string>
      notes;  // what is not as it was asked for: steps that were left out for the budget, a bitmap with fewer pixels
};

// Into a file: .dot, .svg, .png, .pdf, .json or .html. It appears complete or not at all. Throws Error for another suffix or a folder that cannot be
// written.
// See docs/drawing.md.
RenderReport render(const Tape& tape, const std::filesystem::path& file, const RenderOptions& options = {});

}  // namespace unroll
