#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/tape/tape.hpp>

#include <filesystem>
#include <string>

// Drawings of recorded programs. Time runs from left to right: every time step is a box, steps that are built alike are drawn alike, and the
// states between them (h, c) run straight from step to step. What is recorded outside of time stands to the left or to the right of it. The
// drawing reads the tape's public interface only, so that any tape can be drawn, not only those of the layers in this library. A state whose
// gradient is cut on its way to another step (core/grad/cuts.hpp) runs on a dashed line that says "✂ cut".
namespace unroll {

struct DrawOptions {
  // The norm |dL/dnode| of every node, as the width of its edges and as a number (∇) in named boxes and on state edges: a backward pass with
  // Keep::all or create_graph. What was not computed is drawn dashed and grey and says "∇ –", which is not the same as 0.
  const Gradients* gradients = nullptr;
  // Also draws the recorded backward pass (create_graph), dashed, in a row below the forward pass: adjoints flow from right to left and from
  // the top down. Forward values are folded into the labels; nodes that only add up the gradients of parameters are left out.
  bool backward = false;
  // Shapes below the names.
  bool shapes = true;
  // A line above the drawing.
  std::string title = {};
};

// The drawing as DOT text in which everything has its position: `neato -n2` draws it as it is, `dot` lays it out anew. Identifiers are node
// indices, so equal programs give equal text.
std::string to_dot(const Tape& tape, const DrawOptions& options = {});

// Writes the drawing to a file: .dot, .svg, .png or .pdf. The file appears complete or not at all. Throws Error for another suffix, a folder
// that cannot be written, or a failure of the graph library, with the reason.
void draw(const Tape& tape, const std::filesystem::path& file, const DrawOptions& options = {});

}  // namespace unroll
