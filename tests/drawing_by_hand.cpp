#include "drawing_by_hand.hpp"

#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace unroll::test {

namespace {

using namespace drawing;

constexpr double width = 40.3, height = 18.7;

Curve straight(Point a, Point b) { return {a, 2.0 / 3 * a + 1.0 / 3 * b, 1.0 / 3 * a + 2.0 / 3 * b, b}; }

class Maker {
 public:
  explicit Maker(const Tape& tape) : tape_(tape) {}

  Drawing make() {
    std::map<std::int32_t, std::vector<NodeId>> steps;
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (tape_[id].place.phase == Phase::forward) steps[tape_[id].place.step].push_back(id);
    for (const auto& [step, nodes] : steps) add_block(step, nodes);
    add_gap();
    for (const auto& [to, from] : between_) add_edge(from, to, {});
    drawing_.title = "by hand";
    drawing_.description = "all forward nodes";
    drawing_.notes = {"a note"};
    drawing_.texts.push_back({"words", {11.11, 22.22}, 8});
    drawing_.bars.push_back({1, {5, -90, 15, -60}, 0.5, 0.25, "0.5", {10, -95}});
    drawing_.has_gradients = true;
    drawing_.largest = 10;
    drawing_.smallest = 1e-4;
    drawing_.box = {-30.5, -200.25, 460.5 * static_cast<double>(steps.size() + 1), 100.75};
    return std::move(drawing_);
  }

 private:
  void add_block(std::int32_t step, const std::vector<NodeId>& nodes) {
    DrawnBlock block;
    block.step = step;
    block.layer = "lstm";
    block.origin = {460.01 * static_cast<double>(drawing_.blocks.size()) + 0.123, 20.456};
    block.first_node = drawing_.nodes.size();
    block.first_edge = drawing_.edges.size();
    std::map<ScopeId, DrawnFrame> gates;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Node& node = tape_[nodes[i]];
      DrawnNode drawn;
      drawn.id = fmt::format("n{}", nodes[i]);
      drawn.node = nodes[i];
      if (i % 7 == 3) drawn.members = {nodes[i], nodes[0]};
      drawn.look = node.op->is_leaf() ? Look::input : tape_.name(nodes[i]).empty() ? Look::operation : Look::state;
      drawn.tint = node.place.scope == 0 ? no_tint : static_cast<int>(node.place.scope % 6);
      drawn.box = around(block.origin + Point{60.07 * static_cast<double>(i % 7), -30.03 * static_cast<double>(i / 7)},
                         width, height);
      drawn.text = {fmt::format("{} {}", node.op->name, tape_.name(nodes[i])), {to_string(node.value.shape)}, "∇ 1"};
      drawn.flow = {Flow::Kind::finite, 1.5, 0.25};
      drawn.dashed = i % 5 == 4;
      boxes_[nodes[i]] = drawn.box;
      if (node.place.scope != 0) {
        DrawnFrame& gate = gates[node.place.scope];
        gate.box = gate.nodes.empty() ? drawn.box : united(gate.box, drawn.box);
        gate.nodes.push_back(drawn.id);
      }
      drawing_.nodes.push_back(std::move(drawn));
    }
    block.node_count = nodes.size();
    for (const NodeId id : nodes)
      for (const NodeId input : tape_.inputs(id)) {
        if (tape_[input].place.step == step)
          add_edge(input, id, {Flow::Kind::finite, 0.7, 0.123456});
        else
          between_.emplace_back(id, input);
      }
    block.edge_count = drawing_.edges.size() - block.first_edge;
    DrawnFrame frame;
    frame.id = fmt::format("step{}", step);
    frame.label = step == no_step ? "outside of time" : fmt::format("t = {}", step);
    frame.box = {block.origin.x - 30, block.origin.y - 180, block.origin.x + 420, block.origin.y + 40};
    frame.label_at = {frame.box.centre().x, frame.box.top - 7};
    for (auto& [scope, gate] : gates) {
      gate.id = fmt::format("gate{}_{}", step, scope);
      gate.kind = DrawnFrame::Kind::gate;
      gate.label = tape_.path(scope);
      gate.tint = static_cast<int>(scope % 6);
      gate.label_at = {gate.box.centre().x, gate.box.top};
      block.frames.push_back(gate);
    }
    frame.inner = block.frames;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (tape_[nodes[i]].place.scope == 0) frame.nodes.push_back(fmt::format("n{}", nodes[i]));
    block.shape =
        shapes_.try_emplace({block.node_count, block.edge_count}, static_cast<int>(shapes_.size())).first->second;
    drawing_.frames.push_back(std::move(frame));
    drawing_.blocks.push_back(std::move(block));
  }

  void add_gap() {
    DrawnNode gap;
    gap.id = "gap";
    gap.look = Look::gap;
    gap.text.title = "× 94";
    gap.box = around({-10.5, 40.25}, 12, 200);
    drawing_.nodes.push_back(gap);
    DrawnEdge edge;
    edge.from = drawing_.nodes.front().id;
    edge.to = "gap";
    edge.curve = straight(drawing_.nodes.front().box.centre(), gap.box.centre());
    edge.kind = DrawnEdge::Kind::state;
    edge.cut = edge.backward = true;
    edge.label = "✂ cut";
    edge.label_at = {3.25, 4.5};
    edge.flow.kind = Flow::Kind::absent;
    drawing_.edges.push_back(std::move(edge));
  }

  void add_edge(NodeId from, NodeId to, const Flow& flow) {
    DrawnEdge edge;
    edge.from = fmt::format("n{}", from);
    edge.to = fmt::format("n{}", to);
    edge.source = from;
    edge.curve = straight({boxes_[from].right, boxes_[from].centre().y}, {boxes_[to].left, boxes_[to].centre().y});
    edge.flow = flow;
    drawing_.edges.push_back(std::move(edge));
  }

  const Tape& tape_;
  Drawing drawing_;
  std::map<NodeId, Rectangle> boxes_;
  std::vector<std::pair<NodeId, NodeId>> between_;
  std::map<std::pair<std::size_t, std::size_t>, int> shapes_;
};

}  // namespace

drawing::Drawing drawing_by_hand(const Tape& tape) { return Maker(tape).make(); }

}  // namespace unroll::test
