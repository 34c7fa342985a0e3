#include "drawing_laws.hpp"

#include <unroll/core/grad/cuts.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/label.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace unroll::test {

using namespace drawing;

namespace {

constexpr double hair = 1e-6;

bool near(double a, double b, double by) { return std::abs(a - b) <= by; }
bool near(Point a, Point b, double by) { return near(a.x, b.x, by) && near(a.y, b.y, by); }
bool near(const Rectangle& a, const Rectangle& b, double by) {
  return near(a.left, b.left, by) && near(a.right, b.right, by) && near(a.bottom, b.bottom, by) &&
         near(a.top, b.top, by);
}

bool finite(Point p) { return std::isfinite(p.x) && std::isfinite(p.y); }

std::string words(Point p) { return fmt::format("({:.2f}, {:.2f})", p.x, p.y); }
std::string words(const Rectangle& r) {
  return fmt::format("[{:.1f} .. {:.1f}] x [{:.1f} .. {:.1f}]", r.left, r.right, r.bottom, r.top);
}
std::string words(const DrawnNode& n) { return fmt::format("{} \"{}\" {}", n.id, n.text.title, words(n.box)); }
std::string words(const DrawnFrame& f) { return fmt::format("{} \"{}\" {}", f.id, f.label, words(f.box)); }

bool inside(const Rectangle& inner, const Rectangle& outer, double by = hair) {
  return inner.left >= outer.left - by && inner.right <= outer.right + by && inner.bottom >= outer.bottom - by &&
         inner.top <= outer.top + by;
}

// Not of what is drawn elsewhere, too: a port where it enters a block.
bool stands_for_itself(const DrawnNode& node) {
  return node.look != Look::port || node.id == fmt::format("n{}", node.node);
}

void each_frame(const std::vector<DrawnFrame>& frames, const std::function<void(const DrawnFrame&)>& look) {
  for (const DrawnFrame& frame : frames) {
    look(frame);
    each_frame(frame.inner, look);
  }
}

using Nodes = std::unordered_map<std::string, std::size_t>;
Nodes by_id(const Drawing& d) {
  Nodes result;
  for (std::size_t i = 0; i < d.nodes.size(); ++i) result.emplace(d.nodes[i].id, i);
  return result;
}

std::string words(const Drawing& d, const Nodes& at, const DrawnEdge& e) {
  const auto title = [&](const std::string& id) {
    const auto found = at.find(id);
    return found == at.end() ? id : fmt::format("{} \"{}\"", id, d.nodes[found->second].text.title);
  };
  return fmt::format("line {} -> {}", title(e.from), title(e.to));
}

// Calls look(i, j) for all pairs whose boxes may touch, j's box beginning right of i's.
template <class Box>
void each_near_pair(std::size_t count, const Box& box, const std::function<void(std::size_t, std::size_t)>& look) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return box(a).left < box(b).left; });
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = i + 1; j < count && box(order[j]).left < box(order[i]).right; ++j) look(order[i], order[j]);
}

// The boxes by where they begin, to find those in a range quickly.
class BoxIndex {
 public:
  explicit BoxIndex(const Drawing& d) : d_(d) {
    for (std::size_t i = 0; i < d.nodes.size(); ++i) {
      order_.push_back(i);
      widest_ = std::max(widest_, d.nodes[i].box.width());
    }
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return d.nodes[a].box.left < d.nodes[b].box.left; });
  }

  template <class Look> void around(const Rectangle& r, const Look& look) const {
    auto i = std::lower_bound(order_.begin(), order_.end(), r.left - widest_,
                              [&](std::size_t a, double x) { return d_.nodes[a].box.left < x; });
    for (; i != order_.end() && d_.nodes[*i].box.left < r.right; ++i)
      if (d_.nodes[*i].box.overlaps(r)) look(d_.nodes[*i]);
  }

 private:
  const Drawing& d_;
  std::vector<std::size_t> order_;
  double widest_ = 0;
};

// Points along a chain of Bezier curves, at most about one point apart.
std::vector<Point> points_along(const Curve& curve) {
  std::vector<Point> result;
  for (std::size_t i = 3; i < curve.size(); i += 3) {
    double length = 0;
    for (std::size_t k = i - 2; k <= i; ++k)
      length += std::hypot(curve[k].x - curve[k - 1].x, curve[k].y - curve[k - 1].y);
    const int pieces = std::max(4, static_cast<int>(std::ceil(length)));
    for (int k = 0; k <= pieces; ++k) result.push_back(at(curve, i, static_cast<double>(k) / pieces));
  }
  return result;
}

// The control points enclose the curve.
Rectangle extent(const Curve& curve) {
  Rectangle r{curve[0].x - hair, curve[0].y - hair, curve[0].x + hair, curve[0].y + hair};
  for (const Point& p : curve) r = united(r, {p.x - hair, p.y - hair, p.x + hair, p.y + hair});
  return r;
}

// Whether the piece of a curve that ends at control point i is in a box at any place.
bool enters(const Curve& curve, const Rectangle& box) {
  for (std::size_t i = 3; i < curve.size(); i += 3) {
    const Curve piece(curve.begin() + static_cast<std::ptrdiff_t>(i) - 3,
                      curve.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (!extent(piece).overlaps(box)) continue;
    for (const Point& p : points_along(piece))
      if (p.x > box.left && p.x < box.right && p.y > box.bottom && p.y < box.top) return true;
  }
  return false;
}

Violations crossings(const Drawing& d, bool between) {
  Violations result;
  const Nodes at = by_id(d);
  const BoxIndex boxes(d);
  std::vector<bool> is_inside(d.edges.size());
  for (const DrawnBlock& block : d.blocks)
    for (std::size_t e = block.first_edge; e < block.first_edge + block.edge_count && e < d.edges.size(); ++e)
      is_inside[e] = true;
  for (std::size_t e = 0; e < d.edges.size(); ++e) {
    const DrawnEdge& edge = d.edges[e];
    if (is_inside[e] == between || edge.curve.size() < 4) continue;
    boxes.around(extent(edge.curve), [&](const DrawnNode& node) {
      if (node.id == edge.from || node.id == edge.to) return;
      if (enters(edge.curve, node.box.grown(-0.25)))
        result.add(fmt::format("{} crosses {}", words(d, at, edge), words(node)));
    });
  }
  return result;
}

// How far a point is from the border of a box.
double from_border(Point p, const Rectangle& r) {
  if (p.x >= r.left && p.x <= r.right && p.y >= r.bottom && p.y <= r.top)
    return std::min({p.x - r.left, r.right - p.x, p.y - r.bottom, r.top - p.y});
  return std::hypot(std::max({r.left - p.x, 0.0, p.x - r.right}), std::max({r.bottom - p.y, 0.0, p.y - r.top}));
}

bool is_backward(const DrawnFrame& frame) { return frame.id.ends_with("_backward"); }

std::vector<const DrawnFrame*> steps(const Drawing& d, bool backward) {
  std::vector<const DrawnFrame*> result;
  for (const DrawnFrame& frame : d.frames)
    if (frame.kind == DrawnFrame::Kind::step && is_backward(frame) == backward) result.push_back(&frame);
  std::sort(result.begin(), result.end(),
            [](const DrawnFrame* a, const DrawnFrame* b) { return a->first_step < b->first_step; });
  return result;
}

void compare_frames(const std::vector<DrawnFrame>& a, Point a_origin, const std::vector<DrawnFrame>& b, Point b_origin,
                    const std::string& where, Violations& result) {
  if (a.size() != b.size()) return result.add(fmt::format("{}: {} frames and {}", where, a.size(), b.size()));
  const auto back = [](Point origin) { return Point{-origin.x, -origin.y}; };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!near(a[i].box.moved(back(a_origin)), b[i].box.moved(back(b_origin)), 1e-9) ||
        !near(a[i].label_at - a_origin, b[i].label_at - b_origin, 1e-9))
      result.add(fmt::format("{}: frame {} is not where {} is", where, words(a[i]), words(b[i])));
    compare_frames(a[i].inner, a_origin, b[i].inner, b_origin, where, result);
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Violations& violations) {
  constexpr std::size_t most = 6;
  out << violations.all.size() << " in all";
  for (std::size_t i = 0; i < std::min(most, violations.all.size()); ++i) out << "\n    " << violations.all[i];
  return out;
}

const std::vector<DrawingLaw>& drawing_laws() {
  static const std::vector<DrawingLaw> laws{{"equal blocks look equal", unequal_blocks},
                                            {"time runs to the right", wrong_time},
                                            {"boxes are apart", overlapping_boxes},
                                            {"frames hold what is theirs", broken_frames},
                                            {"no line between blocks crosses a box", crossings_between_blocks},
                                            {"no line inside a block crosses a box", crossings_inside_blocks},
                                            {"lines end at their boxes", loose_ends},
                                            {"names are unique and known", broken_names},
                                            {"labels are free", covered_labels}};
  return laws;
}

Violations unequal_blocks(const Drawing& d) {
  Violations result;
  std::map<int, const DrawnBlock*> first;
  for (const DrawnBlock& block : d.blocks) {
    const auto [found, is_new] = first.try_emplace(block.shape, &block);
    if (is_new) continue;
    const DrawnBlock& model = *found->second;
    const std::string where = fmt::format("{} at t = {} and t = {}", block.layer, model.step, block.step);
    if (block.node_count != model.node_count || block.edge_count != model.edge_count) {
      result.add(fmt::format("{}: {} and {} boxes, {} and {} lines", where, model.node_count, block.node_count,
                             model.edge_count, block.edge_count));
      continue;
    }
    const auto back = [](Point origin) { return Point{-origin.x, -origin.y}; };
    for (std::size_t i = 0; i < block.node_count; ++i) {
      const DrawnNode &a = d.nodes[model.first_node + i], &b = d.nodes[block.first_node + i];
      if (!near(a.box.moved(back(model.origin)), b.box.moved(back(block.origin)), 1e-9))
        result.add(fmt::format("{}: box {} is not where {} is", where, words(b), words(a)));
    }
    for (std::size_t i = 0; i < block.edge_count; ++i) {
      const DrawnEdge &a = d.edges[model.first_edge + i], &b = d.edges[block.first_edge + i];
      bool same = a.curve.size() == b.curve.size() && a.kind == b.kind;
      for (std::size_t k = 0; same && k < a.curve.size(); ++k)
        same = near(a.curve[k] - model.origin, b.curve[k] - block.origin, 1e-9);
      if (!same)
        result.add(fmt::format("{}: line {} -> {} does not run like {} -> {}", where, b.from, b.to, a.from, a.to));
    }
    compare_frames(model.frames, model.origin, block.frames, block.origin, where, result);
  }
  return result;
}

Violations wrong_time(const Drawing& d) {
  Violations result;
  std::map<std::string, std::int32_t> step_of;  // by box
  for (const bool backward : {false, true}) {
    const auto frames = steps(d, backward);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (i > 0 && !(frames[i]->box.centre().x > frames[i - 1]->box.centre().x))
        result.add(fmt::format("{} is not right of {}", words(*frames[i]), words(*frames[i - 1])));
      if (i > 0 && frames[i]->first_step <= frames[i - 1]->last_step)
        result.add(fmt::format("{} and {} share steps", words(*frames[i]), words(*frames[i - 1])));
      each_frame({*frames[i]}, [&](const DrawnFrame& frame) {
        for (const std::string& id : frame.nodes) step_of[id] = frames[i]->first_step;
      });
    }
  }
  for (const DrawnFrame* below : steps(d, true))
    for (const DrawnFrame* above : steps(d, false)) {
      if (above->first_step != below->first_step) continue;
      if (!near(above->box.centre().x, below->box.centre().x, 1))
        result.add(fmt::format("{} is not below {}", words(*below), words(*above)));
      if (!(below->box.top < above->box.bottom))
        result.add(fmt::format("{} is not below {}", words(*below), words(*above)));
    }
  for (const DrawnEdge& edge : d.edges) {
    const auto from = step_of.find(edge.from), to = step_of.find(edge.to);
    if (from == step_of.end() || to == step_of.end() || from->second == to->second || edge.curve.empty()) continue;
    if ((edge.curve.back().x - edge.curve.front().x > 0) != (to->second > from->second))
      result.add(fmt::format("line {} -> {} from step {} to step {} runs from {} to {}", edge.from, edge.to,
                             from->second, to->second, words(edge.curve.front()), words(edge.curve.back())));
  }
  return result;
}

Violations overlapping_boxes(const Drawing& d) {
  Violations result;
  each_near_pair(
      d.nodes.size(), [&](std::size_t i) -> const Rectangle& { return d.nodes[i].box; },
      [&](std::size_t i, std::size_t j) {
        if (d.nodes[i].box.grown(-hair).overlaps(d.nodes[j].box.grown(-hair)))
          result.add(fmt::format("{} and {}", words(d.nodes[i]), words(d.nodes[j])));
      });
  for (const DrawnNode& node : d.nodes)
    if (!(node.box.width() > 0 && node.box.height() > 0)) result.add(fmt::format("{} is empty", words(node)));
  return result;
}

Violations broken_frames(const Drawing& d) {
  Violations result;
  const Nodes at = by_id(d);
  const auto apart = [&](const std::vector<DrawnFrame>& frames) {
    each_near_pair(
        frames.size(), [&](std::size_t i) -> const Rectangle& { return frames[i].box; },
        [&](std::size_t i, std::size_t j) {
          if (frames[i].box.grown(-hair).overlaps(frames[j].box.grown(-hair)))
            result.add(fmt::format("frames {} and {} overlap", words(frames[i]), words(frames[j])));
        });
  };
  apart(d.frames);
  std::vector<std::string> framed;
  each_frame(d.frames, [&](const DrawnFrame& frame) {
    apart(frame.inner);
    for (const DrawnFrame& inner : frame.inner)
      if (!inside(inner.box, frame.box))
        result.add(fmt::format("frame {} sticks out of {}", words(inner), words(frame)));
    for (const std::string& id : frame.nodes)
      if (const auto found = at.find(id); found != at.end()) {
        const DrawnNode& node = d.nodes[found->second];
        if (!inside(node.box, frame.box))
          result.add(fmt::format("{} sticks out of its frame {}", words(node), words(frame)));
        for (const DrawnFrame& inner : frame.inner)
          if (inner.box.overlaps(node.box.grown(-hair)))
            result.add(fmt::format("{} stands in frame {}, which is not its own", words(node), words(inner)));
      }
    framed.insert(framed.end(), frame.nodes.begin(), frame.nodes.end());
    if (!inside(frame.box, d.box)) result.add(fmt::format("frame {} sticks out of the drawing", words(frame)));
  });
  std::sort(framed.begin(), framed.end());
  if (const auto twice = std::adjacent_find(framed.begin(), framed.end()); twice != framed.end())
    result.add(fmt::format("{} stands in two frames", *twice));
  for (const DrawnNode& node : d.nodes) {
    if (!inside(node.box, d.box)) result.add(fmt::format("{} sticks out of the drawing", words(node)));
    if (std::binary_search(framed.begin(), framed.end(), node.id)) continue;
    for (const DrawnFrame& frame : d.frames)
      if (frame.box.overlaps(node.box))
        result.add(fmt::format("{} stands in frame {}, which is not its own", words(node), words(frame)));
  }
  for (const DrawnEdge& edge : d.edges)
    for (const Point& p : edge.curve)
      if (!finite(p) || !inside({p.x, p.y, p.x, p.y}, d.box)) {
        result.add(fmt::format("{} leaves the drawing at {}", words(d, at, edge), words(p)));
        break;
      }
  for (const DrawnBar& bar : d.bars)
    if (!inside(bar.box, d.box)) result.add(fmt::format("the bar of step {} sticks out of the drawing", bar.step));
  return result;
}

Violations crossings_between_blocks(const Drawing& d) { return crossings(d, true); }
Violations crossings_inside_blocks(const Drawing& d) { return crossings(d, false); }

Violations loose_ends(const Drawing& d) {
  Violations result;
  const Nodes at = by_id(d);
  for (const DrawnEdge& edge : d.edges) {
    const auto from = at.find(edge.from), to = at.find(edge.to);
    if (from == at.end() || to == at.end()) continue;
    const std::string where = words(d, at, edge);
    if (edge.curve.size() < 4 || edge.curve.size() % 3 != 1) {
      result.add(fmt::format("{} has {} control points", where, edge.curve.size()));
      continue;
    }
    const DrawnNode &a = d.nodes[from->second], &b = d.nodes[to->second];
    if (!(from_border(edge.curve.front(), a.box) <= 1))
      result.add(fmt::format("{} begins at {}, {:.1f} off {}", where, words(edge.curve.front()),
                             from_border(edge.curve.front(), a.box), words(a.box)));
    if (!(from_border(edge.curve.back(), b.box) <= 1))
      result.add(fmt::format("{} ends at {}, {:.1f} off {}", where, words(edge.curve.back()),
                             from_border(edge.curve.back(), b.box), words(b.box)));
  }
  return result;
}

Violations broken_names(const Drawing& d) {
  Violations result;
  std::set<std::string> ids, frames;
  for (const DrawnNode& node : d.nodes)
    if (!ids.insert(node.id).second) result.add(fmt::format("two boxes are called {}", node.id));
  each_frame(d.frames, [&](const DrawnFrame& frame) {
    if (!frames.insert(frame.id).second) result.add(fmt::format("two frames are called {}", frame.id));
    for (const std::string& id : frame.nodes)
      if (!ids.contains(id)) result.add(fmt::format("frame {} has a box {}, which is not drawn", frame.id, id));
  });
  std::set<std::pair<std::string, std::string>> lines;
  for (const DrawnEdge& edge : d.edges) {
    if (!ids.contains(edge.from)) result.add(fmt::format("a line begins at {}, which is not drawn", edge.from));
    if (!ids.contains(edge.to)) result.add(fmt::format("a line ends at {}, which is not drawn", edge.to));
  }
  std::vector<bool> in_block(d.nodes.size());
  for (const DrawnBlock& block : d.blocks) {
    if (block.first_node + block.node_count > d.nodes.size() || block.first_edge + block.edge_count > d.edges.size())
      result.add(fmt::format("the block of {} at step {} has boxes beyond the end", block.layer, block.step));
    for (std::size_t i = block.first_node; i < std::min(block.first_node + block.node_count, d.nodes.size()); ++i) {
      if (in_block[i]) result.add(fmt::format("{} is in two blocks", d.nodes[i].id));
      in_block[i] = true;
    }
    // a block's own frames are those that the drawing has
    each_frame(block.frames, [&](const DrawnFrame& frame) {
      if (!frames.contains(frame.id)) result.add(fmt::format("frame {} is in a block only", frame.id));
    });
  }
  for (std::size_t i = 0; i < d.nodes.size(); ++i)
    if (!in_block[i]) result.add(fmt::format("{} is in no block", d.nodes[i].id));
  return result;
}

Violations covered_labels(const Drawing& d) {
  struct Label {
    std::string text;
    Rectangle box;
    const DrawnFrame* of = nullptr;
  };
  // Letters fill about 0.72 of their size from the base line up.
  constexpr double line_size = 8, letter = 0.72;
  const auto box_of = [&](const std::string& text, Point centre, double size) {
    return around(centre, text_width(text, size), letter * size);
  };
  Violations result;
  std::vector<Label> labels;
  for (const DrawnEdge& edge : d.edges)
    if (!edge.label.empty())
      labels.push_back({fmt::format("\"{}\" on {} -> {}", edge.label, edge.from, edge.to),
                        box_of(edge.label, edge.label_at, line_size)});
  each_frame(d.frames, [&](const DrawnFrame& frame) {
    if (frame.label.empty()) return;
    labels.push_back({fmt::format("the name of frame {} \"{}\"", frame.id, frame.label),
                      box_of(frame.label, frame.label_at, line_size), &frame});
    if (!inside(labels.back().box, frame.box, 1))
      result.add(
          fmt::format("{} {} sticks out of it {}", labels.back().text, words(labels.back().box), words(frame.box)));
  });
  for (const DrawnText& text : d.texts)
    labels.push_back({fmt::format("\"{}\"", text.text), box_of(text.text, text.at, text.size)});
  for (const DrawnBar& bar : d.bars)
    labels.push_back({fmt::format("\"{}\" below step {}", bar.label, bar.step), box_of(bar.label, bar.label_at, 8)});
  const BoxIndex boxes(d);
  for (const Label& label : labels) {
    if (!inside(label.box, d.box, 1)) result.add(fmt::format("{} sticks out of the drawing", label.text));
    boxes.around(label.box, [&](const DrawnNode& node) {
      if (node.box.grown(-0.5).overlaps(label.box))
        result.add(fmt::format("{} {} stands on {}", label.text, words(label.box), words(node)));
    });
  }
  each_near_pair(
      labels.size(), [&](std::size_t i) -> const Rectangle& { return labels[i].box; },
      [&](std::size_t i, std::size_t j) {
        if (labels[i].box.overlaps(labels[j].box))
          result.add(fmt::format("{} {} stands on {} {}", labels[i].text, words(labels[i].box), labels[j].text,
                                 words(labels[j].box)));
      });
  return result;
}

Violations bent_cell_state(const Drawing& d, const Tape& tape, std::int32_t last) {
  Violations result;
  std::map<std::int32_t, const DrawnNode*> state;  // by step
  for (const DrawnNode& node : d.nodes)
    if (stands_for_itself(node) && node.node != no_node && tape.name(node.node) == "c")
      state[tape[node.node].place.step] = &node;
  std::map<std::string, const DrawnNode*> boxes;
  for (const DrawnNode& node : d.nodes) boxes[node.id] = &node;
  for (std::int32_t t = 0; t <= last; ++t)
    if (!state.contains(t)) result.add(fmt::format("c_{} is not drawn", t));
  if (!result) return result;
  const double y = state.at(0)->box.centre().y;
  for (std::int32_t t = 0; t < last; ++t) {
    std::set<const DrawnNode*> reached{state.at(t)};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const DrawnEdge& edge : d.edges)
        if (reached.contains(boxes.at(edge.from)) && !edge.curve.empty() &&
            std::all_of(edge.curve.begin(), edge.curve.end(), [&](Point p) { return near(p.y, y, hair); }) &&
            near(boxes.at(edge.to)->box.centre().y, y, hair))
          reached.insert(boxes.at(edge.to));
    }
    if (!reached.contains(state.at(t + 1)))
      result.add(fmt::format("no level way from {} to {}", words(*state.at(t)), words(*state.at(t + 1))));
  }
  return result;
}

Violations incomplete(const Drawing& d, const Tape& tape, bool each_alone, bool inputs) {
  Violations result;
  std::vector<int> drawn(tape.size());
  for (const DrawnNode& node : d.nodes) {
    if (!stands_for_itself(node) || node.look == Look::parameter) continue;
    if (each_alone && node.look != Look::gap && node.members.size() > 1)
      result.add(fmt::format("{} stands for {} nodes", words(node), node.members.size()));
    if (node.members.empty() && node.node != no_node) ++drawn[node.node];
    for (const NodeId id : node.members) ++drawn[id];
    if (!node.members.empty() && std::count(node.members.begin(), node.members.end(), node.node) != 1)
      result.add(fmt::format("{} does not stand for its own node", words(node)));
  }
  std::vector<bool> is_read(tape.size());  // by anything but what picks a step's part of it
  const auto picks = [&](NodeId id) {
    return tape[id].op->name == "select" &&
           (tape[tape.inputs(id)[0]].op->is_leaf() || tape[tape.inputs(id)[0]].place.step != tape[id].place.step);
  };
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId input : tape.inputs(id))
      if (!(picks(id) && tape[input].op->is_leaf())) is_read[input] = true;
  // A weight, or an unnamed part of one, is in the words of its readers.
  std::vector<bool> weight(tape.size());
  for (NodeId id = 0; id < tape.size(); ++id) {
    const Node& node = tape[id];
    if (node.place.phase != Phase::forward) continue;
    const auto in = tape.inputs(id);
    if (node.op == &parameter_op()) {
      weight[id] = true;
      continue;
    }
    if ((node.op->name == "slice" || node.op->name == "transpose") && node.name == 0) {
      NodeId whole = in[0];
      while (!weight[whole] && (tape[whole].op->name == "slice" || tape[whole].op->name == "transpose") &&
             tape[whole].name == 0)
        whole = tape.inputs(whole)[0];
      if (weight[whole] || tape[whole].op == &constant_op()) continue;
    }
    const bool leaf = node.op->is_leaf();
    if (leaf && !inputs) continue;
    if (!leaf && picks(id) && !inputs) continue;
    if (leaf && (!is_read[id] || node.name == 0)) continue;  // a number or an array that nobody named
    const int wanted = 1;
    const bool may_be_a_mark = is_cut(tape, id);  // on a line
    if (drawn[id] != wanted && !(may_be_a_mark && drawn[id] == 0))
      result.add(fmt::format("node {} ({}) is drawn {} times", id, tape.where(id), drawn[id]));
  }
  for (NodeId id = 0; id < tape.size(); ++id)
    if (drawn[id] > 1 && tape[id].op->is_leaf())
      result.add(fmt::format("leaf {} ({}) is drawn {} times", id, tape.where(id), drawn[id]));
  return result;
}

}  // namespace unroll::test
