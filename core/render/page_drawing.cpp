#include <unroll/core/render/page_drawing.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace unroll::drawing {

int Strings::operator()(std::string_view text) {
  if (const auto found = positions_.find(text); found != positions_.end()) return found->second;
  const int position = static_cast<int>(texts_.size());
  positions_.emplace(texts_.emplace_back(text), position);
  return position;
}

namespace {

// What blocks that are built alike have in common, in whole numbers, so that equal is equal: places relative to the origin in hundredths of a point,
// y downwards, and everything else.
struct Shape {
  std::vector<std::int64_t> places, others;

  // Places of equal blocks differ by rounding where the blocks stand far apart.
  bool same_as(const Shape& other) const {
    return others == other.others && std::equal(places.begin(), places.end(), other.places.begin(), other.places.end(),
                                                [](std::int64_t a, std::int64_t b) { return std::abs(a - b) <= 1; });
  }
};

// "M1,2C3,4 5,6 7,8": a chain of Bezier curves as SVG has it.
std::string path(const Curve& curve, Point origin) {
  std::string text;
  const auto add = [&](double points) {
    fmt::format_to(std::back_inserter(text), "{}", static_cast<double>(in_hundredths(points)) / 100);
  };
  for (std::size_t i = 0; i < curve.size(); ++i) {
    text += i == 0 ? "M" : i == 1 ? "C" : " ";
    add(curve[i].x - origin.x);
    text += ",";
    add(origin.y - curve[i].y);
  }
  return text;
}

Json length(double points) { return json_hundredths(in_hundredths(points)); }

// x and y of the top left corner, width, height.
Json box_json(const Rectangle& box, Point origin) {
  return {length(box.left - origin.x), length(origin.y - box.top), length(box.width()), length(box.height())};
}

Json flow_json(const Flow& flow) {
  switch (flow.kind) {
    case Flow::Kind::unasked: return -1;
    case Flow::Kind::absent: return -2;
    case Flow::Kind::zero: return -3;
    case Flow::Kind::finite: return json_number(std::clamp(flow.level, 0.0, 1.0), 3);
    case Flow::Kind::broken: break;
  }
  return -4;
}

Json node_json(NodeId id) { return id == no_node ? Json() : Json(id); }

template <class E> int index(E value) { return static_cast<int>(value); }

class PageDrawing {
 public:
  PageDrawing(const Drawing& drawing, Strings& strings)
      : drawing_(drawing), strings_(strings), corner_{drawing.box.left, drawing.box.top} {}

  Json json() {
    find_blocks();
    Json result;
    result["width"] = length(drawing_.box.width());
    result["height"] = length(drawing_.box.height());
    Json blocks = Json::array();
    for (const DrawnBlock& block : blocks_) blocks.push_back(block_json(block));
    result["shapes"] = std::move(shapes_json_);
    result["blocks"] = std::move(blocks);
    Json& frames = result["frames"] = Json::array();
    for (const DrawnFrame& frame : drawing_.frames) add_frame(frame, frames);
    result["links"] = links();
    Json& texts = result["texts"] = Json::array();
    for (const DrawnText& text : drawing_.texts)
      texts.push_back({strings_(text.text), x(text.at), y(text.at), length(text.size)});
    Json& bars = result["bars"] = Json::array();
    for (const DrawnBar& bar : drawing_.bars) bars.push_back(bar_json(bar));
    return result;
  }

 private:
  // Where a node of the drawing is found on the page.
  struct Spot {
    int block = 0, node = 0;
  };

  Json x(Point p) const { return length(p.x - corner_.x); }
  Json y(Point p) const { return length(corner_.y - p.y); }

  // ---- blocks

  // What stands in no block is a block of its own.
  void find_blocks() {
    std::vector<bool> in_block(drawing_.nodes.size());
    inside_.resize(drawing_.edges.size());
    for (const DrawnBlock& block : drawing_.blocks) {
      add_block(block);
      for (std::size_t i = 0; i < block.node_count; ++i) in_block[block.first_node + i] = true;
    }
    for (std::size_t i = 0; i < drawing_.nodes.size(); ++i) {
      if (in_block[i]) continue;
      const Rectangle& box = drawing_.nodes[i].box;
      DrawnBlock block;
      block.shape = alone;
      block.origin = {box.left, box.top};
      block.first_node = i;
      block.node_count = 1;
      add_block(block);
    }
    for (const DrawnBlock& block : drawing_.blocks)
      for_each_frame(block.frames, [&](const DrawnFrame& frame) { block_frames_.insert(identity(frame)); });
  }

  void add_block(const DrawnBlock& block) {
    const int b = static_cast<int>(blocks_.size());
    for (std::size_t i = 0; i < block.node_count; ++i)
      spots_[drawing_.nodes[block.first_node + i].id] = {b, static_cast<int>(i)};
    for (std::size_t i = 0; i < block.edge_count; ++i) {
      const DrawnEdge& edge = drawing_.edges[block.first_edge + i];
      const auto from = spots_.find(edge.from), to = spots_.find(edge.to);
      inside_[block.first_edge + i] = from != spots_.end() && to != spots_.end() && from->second.block == b &&
                                      to->second.block == b && edge.label.empty();
    }
    blocks_.push_back(block);
  }

  // Frames of a block are also among those of the drawing.
  using FrameIdentity = std::tuple<std::string_view, double, double, double, double>;
  static FrameIdentity identity(const DrawnFrame& frame) {
    return {frame.label, frame.box.left, frame.box.bottom, frame.box.right, frame.box.top};
  }

  template <class F> void for_each_edge(const DrawnBlock& block, F&& f) const {
    for (std::size_t i = 0; i < block.edge_count; ++i)
      if (inside_[block.first_edge + i]) f(drawing_.edges[block.first_edge + i]);
  }

  Json block_json(const DrawnBlock& block) {
    Json result, nodes = Json::array(), members = Json::array(), titles = Json::array(), notes = Json::array(),
                 flows = Json::array();
    for (std::size_t i = 0; i < block.node_count; ++i) {
      const DrawnNode& node = drawing_.nodes[block.first_node + i];
      nodes.push_back(node_json(node.node));
      members.push_back(node.members);
      titles.push_back(strings_(node.text.title));
      Json lines = Json::array();
      for (const std::string& line : node.text.notes) lines.push_back(strings_(line));
      notes.push_back(std::move(lines));
    }
    for_each_edge(block, [&](const DrawnEdge& edge) { flows.push_back(flow_json(edge.flow)); });
    result["shape"] = shape_of(block);
    result["x"] = x(block.origin);
    result["y"] = y(block.origin);
    result["step"] = json_step(block.step);
    result["layer"] = strings_(block.layer);
    result["nodes"] = std::move(nodes);
    result["members"] = std::move(members);
    result["titles"] = std::move(titles);
    result["notes"] = std::move(notes);
    result["flows"] = std::move(flows);
    return result;
  }

  // ---- shapes

  // Blocks of one shape can differ in what a template holds, too: a line that is cut at one step only. Such a block has a template of its own.
  int shape_of(const DrawnBlock& block) {
    Shape shape = measured(block);
    for (const auto& [known, position] : shapes_[block.shape])
      if (known.same_as(shape)) return position;
    const int position = static_cast<int>(shapes_json_.size());
    shapes_json_.push_back(shape_json(block));
    shapes_[block.shape].emplace_back(std::move(shape), position);
    return position;
  }

  Shape measured(const DrawnBlock& block) {
    Shape shape;
    const auto place = [&](Point p) {
      shape.places.push_back(in_hundredths(p.x - block.origin.x));
      shape.places.push_back(in_hundredths(p.y - block.origin.y));
    };
    const auto place_box = [&](const Rectangle& box) {
      place({box.left, box.top});
      place({box.right, box.bottom});
    };
    const auto other = [&](std::initializer_list<std::int64_t> numbers) {
      shape.others.insert(shape.others.end(), numbers);
    };
    for (std::size_t i = 0; i < block.node_count; ++i) {
      const DrawnNode& node = drawing_.nodes[block.first_node + i];
      place_box(node.box);
      other({index(node.look), node.tint, node.dashed});
    }
    other({-1});
    for_each_edge(block, [&](const DrawnEdge& edge) {
      for (const Point& p : edge.curve) place(p);
      other({spots_.at(edge.from).node, spots_.at(edge.to).node, index(edge.kind), edge.cut, edge.backward,
             static_cast<std::int64_t>(edge.curve.size())});
    });
    other({-1});
    for_each_frame(block.frames, [&](const DrawnFrame& frame) {
      place_box(frame.box);
      place(frame.label_at);
      other({strings_(frame.label), index(frame.kind), frame.tint});
    });
    return shape;
  }

  // Outer ones first.
  template <class F> static void for_each_frame(const std::vector<DrawnFrame>& frames, F&& f) {
    for (const DrawnFrame& frame : frames) {
      f(frame);
      for_each_frame(frame.inner, f);
    }
  }

  Json shape_json(const DrawnBlock& block) {
    Json result, nodes = Json::array(), edges = Json::array(), frames = Json::array();
    for (std::size_t i = 0; i < block.node_count; ++i) {
      const DrawnNode& node = drawing_.nodes[block.first_node + i];
      Json one = box_json(node.box, block.origin);
      for (const int value : {index(node.look), node.tint, index(node.dashed)}) one.push_back(value);
      nodes.push_back(std::move(one));
    }
    for_each_edge(block, [&](const DrawnEdge& edge) {
      edges.push_back({spots_.at(edge.from).node, spots_.at(edge.to).node, path(edge.curve, block.origin),
                       index(edge.kind), index(edge.cut), index(edge.backward)});
    });
    for_each_frame(block.frames, [&](const DrawnFrame& frame) { frames.push_back(frame_json(frame, block.origin)); });
    result["nodes"] = std::move(nodes);
    result["edges"] = std::move(edges);
    result["frames"] = std::move(frames);
    return result;
  }

  Json frame_json(const DrawnFrame& frame, Point origin) {
    Json result = box_json(frame.box, origin);
    result.push_back(strings_(frame.label));
    result.push_back(length(frame.label_at.x - origin.x));
    result.push_back(length(origin.y - frame.label_at.y));
    result.push_back(index(frame.kind));
    result.push_back(frame.tint);
    return result;
  }

  // ---- around and between blocks

  void add_frame(const DrawnFrame& frame, Json& frames) {
    if (!block_frames_.contains(identity(frame))) {
      Json one = frame_json(frame, corner_);
      one.push_back(json_step(step_of(frame).value_or(no_step)));
      frames.push_back(std::move(one));
    }
    for (const DrawnFrame& inner : frame.inner) add_frame(inner, frames);
  }

  // The step of what is inside, if all is of one.
  std::optional<std::int32_t> step_of(const DrawnFrame& frame) const {
    std::optional<std::int32_t> step;
    const auto agree = [&](std::int32_t other) {
      step = !step || *step == other ? other : no_step;
      return *step != no_step;
    };
    for (const std::string& id : frame.nodes)
      if (const auto spot = spots_.find(id); spot != spots_.end() && !agree(blocks_[spot->second.block].step))
        return no_step;
    for (const DrawnFrame& inner : frame.inner)
      if (const auto other = step_of(inner); other && !agree(*other)) return no_step;
    return step;
  }

  Spot spot(const std::string& id, const DrawnEdge& edge) const {
    const auto found = spots_.find(id);
    if (found == spots_.end())
      throw Error(
          fmt::format("page: the line from {} to {} needs a box {}, and the drawing has none", edge.from, edge.to, id));
    return found->second;
  }

  Json links() {
    std::vector<std::pair<double, const DrawnEdge*>> order;
    for (std::size_t i = 0; i < drawing_.edges.size(); ++i) {
      if (inside_[i]) continue;
      const Curve& curve = drawing_.edges[i].curve;
      const auto left = std::min_element(curve.begin(), curve.end(), [](Point a, Point b) { return a.x < b.x; });
      order.emplace_back(left == curve.end() ? corner_.x : left->x, &drawing_.edges[i]);
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Json result = Json::array();
    for (const auto& [left, edge] : order) result.push_back(link_json(*edge));
    return result;
  }

  Json link_json(const DrawnEdge& edge) {
    const Spot from = spot(edge.from, edge), to = spot(edge.to, edge);
    Json result;
    result["from"] = {from.block, from.node};
    result["to"] = {to.block, to.node};
    result["source"] = node_json(edge.source);
    result["d"] = path(edge.curve, corner_);
    result["kind"] = index(edge.kind);
    result["cut"] = index(edge.cut);
    result["backward"] = index(edge.backward);
    result["flow"] = flow_json(edge.flow);
    result["label"] = strings_(edge.label);
    result["lx"] = edge.label.empty() ? Json(0) : x(edge.label_at);
    result["ly"] = edge.label.empty() ? Json(0) : y(edge.label_at);
    return result;
  }

  Json bar_json(const DrawnBar& bar) {
    const Rectangle& box = bar.box;
    return {json_step(bar.step),  x({box.left, box.top}),   y({box.left, box.top}),    length(box.width()),
            length(box.height()), json_number(bar.norm, 5), json_number(bar.share, 5), strings_(bar.label),
            x(bar.label_at),      y(bar.label_at)};
  }

  static constexpr int alone = -1;  // the shape of a box in no block

  const Drawing& drawing_;
  Strings& strings_;
  const Point corner_;  // the top left one
  std::vector<DrawnBlock> blocks_;
  std::unordered_map<std::string_view, Spot> spots_;  // by the id of the node
  std::vector<bool> inside_;                          // edges in a block
  std::set<FrameIdentity> block_frames_;
  std::unordered_map<int, std::vector<std::pair<Shape, int>>> shapes_;  // by the number that the drawing gives them
  Json shapes_json_ = Json::array();
};

}  // namespace

Json page_drawing(const Drawing& drawing, Strings& strings) { return PageDrawing(drawing, strings).json(); }

}  // namespace unroll::drawing
