#pragma once

#include <unroll/core/render/geometry.hpp>
#include <unroll/core/render/label.hpp>
#include <unroll/core/tape/node.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A finished drawing as data: everything has its place and its role. Writers (dot, svg, json, html) only write it down; themes
// (theme.hpp) say which colours a role has.
namespace unroll::drawing {

// What a box stands for.
enum class Look : std::uint8_t {
  operation,  // unnamed
  result,     // named, in no gate or inside one
  state,      // named, read by other steps: h, c
  input,      // an input, or a step's part of one
  port,       // what a block reads from elsewhere, shown where it enters
  parameter,  // with ParameterView::nodes
  gate,       // a whole gate (Level::gates)
  cell,       // a whole layer at one step (Level::cells)
  gap         // steps that are not drawn
};

// The gradient at a box or on a line.
struct Flow {
  enum class Kind {
    unasked,  // the drawing shows no gradients
    absent,   // it was not computed
    zero,
    finite,
    broken  // NaN or infinite
  };
  Kind kind = Kind::unasked;
  double norm = 0;
  double level =
      0;  // of a finite one, on the logarithmic scale of the drawing: 0 is its lower end or below, 1 the largest
};

inline constexpr int no_tint = -1;

struct DrawnNode {
  std::string id;                 // "n41"; as a port of step 3: "n41_t3"
  NodeId node = no_node;          // the node of the tape, or the one that gives the result of what stands together here
  std::vector<NodeId> members{};  // all nodes that stand together here; empty where it is one only
  Look look = Look::operation;
  int tint = no_tint;  // which colour of the gates; none outside of gates
  Rectangle box;
  Text text;
  std::string tooltip;
  Flow flow;
  bool dashed = false;   // a port, or a node of the backward pass
  std::string colour{};  // chosen by a hook, or ""
};

struct DrawnEdge {
  enum class Kind { data, state, parameter };
  std::string from, to;     // ids of nodes
  NodeId source = no_node;  // whose value flows here
  Kind kind = Kind::data;
  Curve curve;  // ends at the tip of the arrow
  Flow flow;
  bool cut = false;       // the gradient is cut here
  bool backward = false;  // an adjoint flows here
  std::string label;
  Point label_at;
};

struct DrawnFrame {
  enum class Kind { step, layer, gate };
  std::string id, label;
  Kind kind = Kind::step;
  std::int32_t first_step = no_step, last_step = no_step;  // of a step: one, or several that are folded or left out
  int tint = no_tint;
  Rectangle box;
  Point label_at;                  // its middle
  std::vector<std::string> nodes;  // directly inside
  std::vector<DrawnFrame> inner;
};

// Words on the drawing that belong to no box.
struct DrawnText {
  std::string text;
  Point at;  // the middle
  double size = 8;
};

// One step of one layer (or what stands outside of time). Blocks of one shape look alike: their nodes, in order, have equal places relative to the origin,
// and so have the edges inside.
struct DrawnBlock {
  int shape = 0;
  Point origin;
  std::int32_t step = no_step;
  std::string layer;                           // its scope
  std::size_t first_node = 0, node_count = 0;  // in Drawing::nodes
  std::size_t first_edge = 0, edge_count = 0;  // in Drawing::edges
  std::vector<DrawnFrame> frames;              // of gates; what is inside of Drawing::frames as well
};

// A bar below a step: what it contributes to the gradient of a parameter.
struct DrawnBar {
  std::int32_t step = no_step;
  Rectangle box;     // from its base line
  double norm = 0;   // of the contribution
  double share = 0;  // <contribution, gradient> / |gradient|^2: the shares of all steps add up to 1
  std::string label;
  Point label_at;
};

struct Drawing {
  std::string title, description;
  std::vector<DrawnFrame> frames;  // of steps, or of what stands outside of time
  std::vector<DrawnNode> nodes;
  std::vector<DrawnEdge> edges;
  std::vector<DrawnText> texts;
  std::vector<DrawnBar> bars;
  std::vector<DrawnBlock> blocks;
  bool has_gradients = false;
  double largest = 0, smallest = 0;  // the ends of the scale of gradients, where there are any
  std::vector<std::string> notes;    // what was left out, for the reader
  Rectangle box;                     // around all of it; a writer puts the title above and a legend below
};

}  // namespace unroll::drawing
