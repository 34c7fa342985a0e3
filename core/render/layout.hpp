#pragma once

#include <unroll/core/render/geometry.hpp>
#include <unroll/core/render/scene.hpp>

#include <string>
#include <utility>
#include <vector>

// Where everything in one block stands: the work of `dot`, which knows how to arrange a small graph, and of a few straight lines below it.
namespace unroll::drawing {

struct Cluster {
  ScopeId scope = 0;
  int depth = 0;  // 1 is the outermost
  Rectangle box;
  Point label;  // its middle
};

// The positions of one block, in coordinates of its own: the origin is the lower left corner of what `dot` arranged, the rails
// are below it. Indices are those of the block.
struct Layout {
  std::vector<Rectangle> items;
  std::vector<Curve> links, loops;
  std::vector<Curve> risers;              // by item: the way to the upper edge of what is read by the layer above
  std::vector<double> rail_heights;       // of rails from below
  std::vector<std::vector<Curve>> rails;  // [rail][reader]; those of rails from below begin at the readers' taps
  std::vector<Cluster> clusters;          // outer ones first
  Rectangle box;                          // around all of it

  Layout mirrored() const;  // left and right exchanged
};

// Equal for two blocks that are built alike, which therefore share one layout.
std::string signature(const Tape& tape, const Block& block);

// How large items are that stand on their own.
std::vector<Rectangle> sizes_of(const std::vector<Item>& items);

Layout lay_out(const Tape& tape, const Block& block);

}  // namespace unroll::drawing
