#include "drawing_laws.hpp"
#include "drawn_networks.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/compose.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

// The laws of drawings notice what is wrong: in each drawing here one thing was changed by hand.

namespace unroll::test {

namespace {

using namespace drawing;

struct Harm {
  std::string what;
  Violations (*law)(const Drawing&);
  std::function<void(Drawing&)> done;
};

std::size_t position(const Drawing& d, const std::function<bool(const DrawnNode&)>& wanted) {
  const auto found = std::find_if(d.nodes.begin(), d.nodes.end(), wanted);
  REQUIRE(found != d.nodes.end());
  return static_cast<std::size_t>(found - d.nodes.begin());
}
DrawnNode& node(Drawing& d, const std::string& title) {
  return d.nodes[position(
      d, [&](const DrawnNode& n) { return n.text.title == title && n.id == "n" + std::to_string(n.node); })];
}
DrawnFrame& step_frame(Drawing& d, std::int32_t step) {
  return *std::find_if(d.frames.begin(), d.frames.end(), [&](const DrawnFrame& f) {
    return f.kind == DrawnFrame::Kind::step && f.first_step == step && !f.id.ends_with("_backward");
  });
}
DrawnEdge& between_steps(Drawing& d) {
  for (std::size_t e = 0; e < d.edges.size(); ++e)
    if (d.edges[e].kind == DrawnEdge::Kind::state &&
        std::none_of(d.blocks.begin(), d.blocks.end(),
                     [&](const DrawnBlock& b) { return e >= b.first_edge && e < b.first_edge + b.edge_count; }))
      return d.edges[e];
  throw std::invalid_argument("no line between steps");
}
void shift(Rectangle& r, double x, double y) { r = r.moved({x, y}); }
Curve straight(Point a, Point b) { return rounded({a, b}, 0); }

const std::vector<Harm>& harms() {
  static const std::vector<Harm> all{
      {"a box moves a billionth of its step's width", unequal_blocks,
       [](Drawing& d) { shift(node(d, "f_2").box, 1e-7, 0); }},
      {"a line inside a block bends", unequal_blocks,
       [](Drawing& d) {
         for (const DrawnBlock& block : d.blocks)
           if (block.step == 2) d.edges[block.first_edge].curve[1].x += 1e-7;
       }},
      {"a gate's frame grows", unequal_blocks,
       [](Drawing& d) {
         for (DrawnBlock& block : d.blocks)
           if (block.step == 2) block.frames.at(0).box.top += 1e-7;
       }},
      {"a block loses a box", unequal_blocks,
       [](Drawing& d) {
         for (DrawnBlock& block : d.blocks)
           if (block.step == 2) --block.node_count;
       }},
      {"two steps change places", wrong_time,
       [](Drawing& d) { std::swap(step_frame(d, 2).box, step_frame(d, 3).box); }},
      {"a backward step stands aside", wrong_time,
       [](Drawing& d) {
         for (DrawnFrame& f : d.frames)
           if (f.id.ends_with("_backward") && f.first_step == 2) shift(f.box, 1.5, 0);
       }},
      {"a backward step is as high as its own", wrong_time,
       [](Drawing& d) {
         for (DrawnFrame& f : d.frames)
           if (f.id.ends_with("_backward") && f.first_step == 2) f.box.top = step_frame(d, 2).box.bottom + 1;
       }},
      {"a line runs back in time", wrong_time,
       [](Drawing& d) {
         for (DrawnEdge& e : d.edges)
           if (e.from == node(d, "c_1").id && e.curve.back().x > step_frame(d, 2).box.left)
             std::reverse(e.curve.begin(), e.curve.end());
       }},
      {"one box covers another", overlapping_boxes,
       [](Drawing& d) {
         node(d, "f_2").box = node(d, "i_2").box.moved({3, 3});
       }},
      {"a box has no width", overlapping_boxes, [](Drawing& d) { node(d, "f_2").box.right = node(d, "f_2").box.left; }},
      {"a box leaves its frame", broken_frames, [](Drawing& d) { shift(node(d, "f_2").box, 0, 500); }},
      {"a box is in a frame that is not its own", broken_frames,
       [](Drawing& d) { node(d, "loss").box = node(d, "f_2").box; }},
      {"frames overlap", broken_frames, [](Drawing& d) { step_frame(d, 2).box.right = step_frame(d, 3).box.left + 1; }},
      {"a frame leaves the drawing", broken_frames, [](Drawing& d) { step_frame(d, 3).box.top = d.box.top + 1; }},
      {"a box is in two frames", broken_frames,
       [](Drawing& d) { step_frame(d, 2).nodes.push_back(node(d, "f_2").id); }},
      {"a line leaves the drawing", broken_frames, [](Drawing& d) { d.edges[5].curve[1].y = d.box.bottom - 1; }},
      {"a line is nowhere", broken_frames, [](Drawing& d) { d.edges[5].curve[1].y = std::nan(""); }},
      {"a line between steps goes through a box", crossings_between_blocks,
       [](Drawing& d) {
         const Point c = node(d, "f_2").box.centre();
         between_steps(d).curve = straight({c.x - 40, c.y}, {c.x + 40, c.y});
       }},
      {"a line inside a step goes through a box", crossings_inside_blocks,
       [](Drawing& d) {
         const Point c = node(d, "f_2").box.centre();
         for (const DrawnBlock& block : d.blocks)
           if (block.step == 2) {
             for (std::size_t e = block.first_edge; e < block.first_edge + block.edge_count; ++e)
               if (d.edges[e].from != node(d, "f_2").id && d.edges[e].to != node(d, "f_2").id)
                 d.edges[e].curve = straight({c.x - 40, c.y - 3}, {c.x + 40, c.y});
             break;
           }
       }},
      {"a line begins beside its box", loose_ends, [](Drawing& d) { d.edges[5].curve.front().x += 500; }},
      {"a line ends inside its box", loose_ends,
       [](Drawing& d) {
         DrawnEdge& e = d.edges[5];
         e.curve.back() = d.nodes[position(d, [&](const DrawnNode& n) { return n.id == e.to; })].box.centre();
       }},
      {"a line has no way", loose_ends, [](Drawing& d) { d.edges[5].curve.clear(); }},
      {"two boxes have one name", broken_names, [](Drawing& d) { d.nodes[3].id = d.nodes[4].id; }},
      {"a line comes from nowhere", broken_names, [](Drawing& d) { d.edges[5].from = "n77777"; }},
      {"a line goes nowhere", broken_names, [](Drawing& d) { d.edges[5].to = "n77777"; }},
      {"a frame has a box that is not there", broken_names,
       [](Drawing& d) { step_frame(d, 2).nodes.push_back("n77777"); }},
      {"two frames have one name", broken_names, [](Drawing& d) { d.frames[0].id = d.frames[1].id; }},
      {"a box is in no block", broken_names, [](Drawing& d) { --d.blocks[0].node_count; }},
      {"a number on a line stands on a box", covered_labels,
       [](Drawing& d) {
         between_steps(d).label = "0.5";
         between_steps(d).label_at = node(d, "f_2").box.centre();
       }},
      {"the names of two steps stand on each other", covered_labels,
       [](Drawing& d) { step_frame(d, 2).label_at = step_frame(d, 3).label_at; }},
      {"a label leaves the drawing", covered_labels,
       [](Drawing& d) {
         between_steps(d).label = "0.5";
         between_steps(d).label_at = {d.box.left - 100, d.box.top + 100};
       }},
  };
  return all;
}

// A whole drawing, with nothing wrong in it.
Drawing sound(Tape& tape) {
  backward(drawn_network("textbook LSTM").record(tape, 3), {.create_graph = true});
  return compose(tape, {.backward = BackwardView::below});
}

}  // namespace

TEST_CASE("laws of drawings: each notices what breaks it") {
  Tape tape;
  const Drawing drawing = sound(tape);
  for (const Harm& harm : harms()) {
    CAPTURE(harm.what);
    Drawing harmed = drawing;
    CHECK(harm.law(harmed));
    harm.done(harmed);
    const Violations found = harm.law(harmed);
    CHECK_FALSE(found);
  }
  for (const DrawingLaw& law : drawing_laws()) {
    CAPTURE(law.name);
    CHECK(std::any_of(harms().begin(), harms().end(), [&](const Harm& h) { return h.law == law.broken_by; }));
  }
}

TEST_CASE("laws of drawings: a bent cell state and an incomplete drawing are noticed") {
  Tape tape;
  drawn_network("textbook LSTM").record(tape, 3);
  const Drawing drawing = compose(tape, {});
  CHECK(bent_cell_state(drawing, tape, 3));
  CHECK(incomplete(drawing, tape, true, true));
  Drawing harmed = drawing;
  for (DrawnEdge& e : harmed.edges)
    if (e.from == node(harmed, "c_1").id) e.curve[1].y += 1;
  CHECK_FALSE(bent_cell_state(harmed, tape, 3));
  harmed = drawing;
  shift(node(harmed, "c_3").box, 0, 1);
  CHECK_FALSE(bent_cell_state(harmed, tape, 3));

  for (const char* title : {"f_2", "x_1", "h_0", "x W_i", "loss"}) {
    CAPTURE(title);
    harmed = drawing;
    harmed.nodes.erase(harmed.nodes.begin() + (&node(harmed, title) - harmed.nodes.data()));
    CHECK_FALSE(incomplete(harmed, tape, true, true));
    harmed = drawing;
    harmed.nodes.push_back(node(harmed, title));
    CHECK_FALSE(incomplete(harmed, tape, true, true));
  }
  const Drawing cells = compose(tape, {.level = Level::cells});
  CHECK(incomplete(cells, tape, false, true));
  CHECK_FALSE(incomplete(cells, tape, true, true));
}

}  // namespace unroll::test
