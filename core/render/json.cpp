#include <unroll/core/render/json.hpp>

#include <unroll/core/render/json_value.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/render/statistics.hpp>
#include <unroll/core/tape/op.hpp>

#include <string_view>

namespace unroll::drawing {

namespace {

constexpr int digits = 9;  // tell every two float32 apart

const char* look_name(Look look) {
  constexpr const char* names[] = {"operation", "result", "state", "input", "port", "parameter", "gate", "cell", "gap"};
  return names[static_cast<std::size_t>(look)];
}

const char* kind_name(DrawnEdge::Kind kind) {
  constexpr const char* names[] = {"data", "state", "parameter"};
  return names[static_cast<std::size_t>(kind)];
}

const char* kind_name(DrawnFrame::Kind kind) {
  constexpr const char* names[] = {"step", "layer", "gate"};
  return names[static_cast<std::size_t>(kind)];
}

Json flow_json(const Flow& flow) {
  switch (flow.kind) {
    case Flow::Kind::unasked:
    case Flow::Kind::absent: return nullptr;
    case Flow::Kind::zero: return 0;
    case Flow::Kind::finite:
    case Flow::Kind::broken: break;
  }
  return json_number(flow.norm, digits);
}

Json node_json(NodeId id) { return id == no_node ? Json() : Json(id); }

class Writer {
 public:
  Writer(const Tape& tape, const Drawing& drawing) : tape_(tape), names_(tape), drawing_(drawing) {}

  std::string text(Level level) {
    text_ = "{\n";
    add("format", "unroll drawing");
    add("version", 1);
    add("title", drawing_.title);
    add("description", drawing_.description);
    add("notes", drawing_.notes);
    add("level", to_string(level));
    add("width", length(drawing_.box.width()));
    add("height", length(drawing_.box.height()));
    add("has_gradients", drawing_.has_gradients);
    Json scale;
    if (drawing_.has_gradients && drawing_.largest > 0)
      scale = {{"smallest", json_number(drawing_.smallest, digits)},
               {"largest", json_number(drawing_.largest, digits)}};
    add("scale", scale);
    add_list("nodes", drawing_.nodes);
    add_list("edges", drawing_.edges);
    add_list("frames", drawing_.frames);
    add_list("blocks", drawing_.blocks);
    add_list("texts", drawing_.texts);
    add_list("bars", drawing_.bars);
    text_.replace(text_.size() - 2, 2, "\n}\n");  // the last comma
    return std::move(text_);
  }

 private:
  void add(std::string_view key, const Json& value) {
    text_.append("\"").append(key).append("\": ").append(json_line(value)).append(",\n");
  }

  template <class Item> void add_list(std::string_view key, const std::vector<Item>& items) {
    text_.append("\"").append(key).append("\": [");
    for (std::size_t i = 0; i < items.size(); ++i) text_.append(i ? ",\n" : "\n").append(json_line(json(items[i])));
    text_ += items.empty() ? "],\n" : "\n],\n";
  }

  static Json length(double points) { return json_hundredths(in_hundredths(points)); }
  Json point(Point p) const { return {length(p.x - drawing_.box.left), length(drawing_.box.top - p.y)}; }

  void add_box(Json& to, const Rectangle& box) const {
    to["x"] = length(box.left - drawing_.box.left);
    to["y"] = length(drawing_.box.top - box.top);
    to["width"] = length(box.width());
    to["height"] = length(box.height());
  }

  Json json(const DrawnNode& drawn) const {
    const Node* node = drawn.node == no_node ? nullptr : &tape_[drawn.node];
    Json result;
    result["id"] = drawn.id;
    result["node"] = node_json(drawn.node);
    result["members"] = drawn.members;
    result["look"] = look_name(drawn.look);
    result["name"] = node ? names_[drawn.node] : "";
    result["operation"] = node ? node->op->name : "";
    result["scope"] = node ? tape_.path(node->place.scope) : "";
    result["step"] = node ? json_step(node->place.step) : Json();
    result["phase"] = node ? to_string(node->place.phase) : "";
    result["shape"] = node ? Json(node->value.shape.vector()) : Json();
    result["dtype"] = node ? to_string(node->value.dtype) : "";
    Json& lines = result["text"] = Json::array({drawn.text.title});
    for (const std::string& note : drawn.text.notes) lines.push_back(note);
    if (!drawn.text.gradient.empty()) lines.push_back(drawn.text.gradient);
    add_box(result, drawn.box);
    result["dashed"] = drawn.dashed;
    result["colour"] = drawn.colour.empty() ? Json() : Json(drawn.colour);
    const bool has_elements = node && node->value.size() > 0;
    const Statistics all = has_elements ? statistics(node->value) : Statistics{};
    result["min"] = has_elements ? json_number(all.smallest, digits) : Json();
    result["mean"] = has_elements ? json_number(all.mean, digits) : Json();
    result["max"] = has_elements ? json_number(all.largest, digits) : Json();
    result["gradient"] = flow_json(drawn.flow);
    return result;
  }

  Json json(const DrawnEdge& edge) const {
    Json result;
    result["from"] = edge.from;
    result["to"] = edge.to;
    result["source"] = node_json(edge.source);
    result["kind"] = kind_name(edge.kind);
    result["cut"] = edge.cut;
    result["backward"] = edge.backward;
    Json& points = result["points"] = Json::array();
    for (const Point& p : edge.curve) points.push_back(point(p));
    result["label"] = edge.label;
    result["label_at"] = edge.label.empty() ? Json() : point(edge.label_at);
    result["gradient"] = flow_json(edge.flow);
    return result;
  }

  Json json(const DrawnFrame& frame) const {
    Json result;
    result["id"] = frame.id;
    result["kind"] = kind_name(frame.kind);
    result["label"] = frame.label;
    result["label_at"] = point(frame.label_at);
    add_box(result, frame.box);
    result["nodes"] = frame.nodes;
    Json& inner = result["inner"] = Json::array();
    for (const DrawnFrame& one : frame.inner) inner.push_back(json(one));
    return result;
  }

  Json json(const DrawnBlock& block) const {
    Json result;
    result["step"] = json_step(block.step);
    result["layer"] = block.layer;
    result["shape"] = block.shape;
    result["origin"] = point(block.origin);
    result["nodes"] = {block.first_node, block.node_count};
    result["edges"] = {block.first_edge, block.edge_count};
    return result;
  }

  Json json(const DrawnText& text) const {
    Json result;
    result["text"] = text.text;
    result["at"] = point(text.at);
    result["size"] = length(text.size);
    return result;
  }

  Json json(const DrawnBar& bar) const {
    Json result;
    result["step"] = json_step(bar.step);
    add_box(result, bar.box);
    result["norm"] = json_number(bar.norm, digits);
    result["share"] = json_number(bar.share, digits);
    result["label"] = bar.label;
    result["label_at"] = point(bar.label_at);
    return result;
  }

  const Tape& tape_;
  const Names names_;
  const Drawing& drawing_;
  std::string text_;
};

}  // namespace

std::string json_text(const Tape& tape, const Drawing& drawing, const RenderOptions& options) {
  return Writer(tape, drawing).text(options.level);
}

}  // namespace unroll::drawing
