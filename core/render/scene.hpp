#pragma once

#include <unroll/core/render/draw.hpp>
#include <unroll/core/render/label.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// What is drawn, before anything has a position: the nodes of a tape as boxes, one block for each time step and one for what stands before
// and after time. A block knows how it is built inside and what it reads from other blocks, and how: along a straight line through the
// step (the motorway of c in an LSTM), or from below, off a rail.
namespace unroll::drawing {

enum class Look {
  operation,  // unnamed
  result,     // named, inside a gate
  state,      // named, in no gate: h, c
  input,      // an input, or a step's part of one
  port        // what a block reads from elsewhere, shown where it enters
};

struct Item {
  std::string id;  // "n41"; as a port of step 3: "n41_t3"
  NodeId node = no_node;
  Look look = Look::operation;
  ScopeId scope = 0;
  Text text;
  Text widest;  // what it would say at the step with the longest number: equal in all steps, for equal sizes
  std::string tooltip;

  bool is_leaf() const { return look == Look::input || look == Look::port; }
};

// From an item of a block to another one; indices into Block::items.
struct Link {
  int from = 0, to = 0;
};

inline constexpr int nowhere = -1;

// What comes in from other blocks, or from an input, and is read by several items. In a time step it is a horizontal line below the step, from
// an item at its left (the input, or a port) to all readers. Blocks outside of time have no rails but lines that enter from the left: `item` is
// nowhere.
struct Rail {
  int item = nowhere;
  std::vector<NodeId> sources;  // in other blocks
  std::vector<int> readers;
};

// A state that runs through the step on one line: read by the first item of `way`, renewed by the last.
struct Motorway {
  NodeId source = no_node;
  std::vector<int> way;
};

struct Block {
  std::int32_t step = no_step;
  bool beside_time = false;  // before or after the steps
  std::vector<Item> items;
  std::vector<Link> links;
  std::vector<Rail> rails;  // from the top down
  std::vector<Motorway> motorways;
  ScopeId common_scope = 0;  // around all items but inputs and ports

  bool on_motorway(int item) const;
  bool on_motorway(const Link& link) const;
};

// "t2" of step 2: for identifiers.
std::string block_name(const Block& block);

struct Spot {
  int block = 0, item = 0;
};

struct Scene {
  std::vector<Item> initial;               // states before the first step that nothing computes
  std::vector<Block> blocks;               // from left to right
  std::unordered_map<NodeId, Spot> spots;  // of all drawn nodes but ports; the block `nowhere` is `initial`
  std::unordered_set<NodeId> cuts;  // lines from them are cut; their spots are those of the states that they cut off
};

// Reads one phase of a tape: forward, or backward.
Scene read_scene(const Tape& tape, Phase phase, const DrawOptions& options);

}  // namespace unroll::drawing
