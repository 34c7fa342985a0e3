#pragma once

#include <unroll/core/render/label.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/core/render/rows.hpp>
#include <unroll/core/render/units.hpp>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

// What is drawn, before anything has a position: boxes in a grid of blocks, one block for each layer (row) at each time step (column), and
// blocks for what stands before and after time. A block knows how it is built inside and what it reads from other blocks, and how: along a straight
// line through the step (the motorway of c in an LSTM), off a rail below, or straight up from the layer below.
namespace unroll::drawing {

enum class Look : std::uint8_t;

struct Item {
  std::string id;  // "n41"; as a port of step 3: "n41_t3"
  NodeId node = no_node;
  std::vector<NodeId> members;  // if there are several
  Look look{};
  ScopeId scope = 0;
  Text text;
  Text widest;  // what it would say at the step with the longest numbers: equal in all steps, for equal sizes
  std::string tooltip;
  std::vector<NodeId> exits;  // the states that leave it to other steps, from the top down, where there are several
  bool rises = false;         // the layer above reads it
  bool repeated = false;      // an input that has its box elsewhere

  bool is_leaf() const;
};

// From an item of a block to another one; indices into Block::items.
struct Link {
  int from = 0, to = 0;
};

inline constexpr int nowhere = -1;

// What comes in from other blocks, or from an input, and is read by several items. In a time step it is a horizontal line below the step, from
// an item at its side (the input, or a port) to all readers; `item` is nowhere where the line comes from the layer below, in the same column. Blocks
// outside of time have no rails but lines that enter from the left.
struct Rail {
  int item = nowhere;
  std::vector<NodeId> sources;  // in other blocks
  std::vector<int> readers;
  bool from_below = false;
};

// A state that runs through the step on one line: read by the first item of `way`, renewed by the last.
struct Motorway {
  NodeId source = no_node;
  std::vector<int> way;
  int lane = nowhere;  // which of Item::exits it is, where one box has several
};

struct Block {
  int column = 0, row = no_row;
  std::int32_t step = no_step;   // of a single one
  bool gap = false;              // steps that are not drawn; it has one item
  bool initial = false;          // states before the first step that nothing computes: items only
  bool ports_in_engine = false;  // inputs stand below what reads them, not on rails
  bool gate_frames = true;       // gates of several boxes have frames
  std::vector<Item> items;
  std::vector<Link> links, loops;  // loops: states of folded steps, which come back
  std::vector<Rail> rails;         // from the top down
  std::vector<Motorway> motorways;
  ScopeId common_scope = 0;  // around all items but inputs and ports

  bool in_time() const { return row != no_row && !initial; }
  bool on_motorway(int item) const;
  bool on_motorway(const Link& link) const;
};

struct Column {
  enum class Kind { before_time, initial, moment, after_time };
  Kind kind = Kind::moment;
  int moment = no_moment;
};

struct Spot {
  int block = nowhere, item = nowhere;
};

struct Scene {
  std::vector<Row> rows;        // from the bottom up
  std::vector<Column> columns;  // from left to right
  std::vector<Moment> moments;
  std::vector<Block> blocks;  // column by column, from the bottom up
  std::vector<Spot>
      spots;  // of all nodes; nowhere for what has no box, and of cuts those of the states that they cut off
  std::unordered_set<NodeId> cuts;  // lines from them are cut
  std::vector<std::string> notes;
  bool backward = false;  // the backward pass: later steps stand to the left

  bool has_spot(NodeId id) const { return spots[id].block != nowhere; }
  // What is written above a column: "t = 3".
  std::string heading(const Column& column) const;
};

// "t2" of step 2, with the row where there are several: for identifiers.
std::string block_name(const Scene& scene, const Block& block);

// Reads one phase of a tape: forward, or backward.
Scene read_scene(const Tape& tape, Phase phase, const RenderOptions& options, const Folding& folding);

}  // namespace unroll::drawing
