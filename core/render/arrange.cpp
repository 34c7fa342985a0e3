#include <unroll/core/render/arrange.hpp>

#include <unroll/core/render/engine_text.hpp>
#include <unroll/core/render/grid.hpp>
#include <unroll/core/render/pen.hpp>
#include <unroll/core/render/routes.hpp>
#include <unroll/core/render/theme.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double number_width = 44;  // room for a gradient on a state's line

class Arranger {
 public:
  Arranger(const Tape& tape, const Scene& scene, const RenderOptions& options)
      : tape_(tape),
        scene_(scene),
        options_(options),
        pen_(tape, scene, options.gradients),
        grid_(tape, scene),
        routes_(scene, grid_),
        number_(options.gradients || !scene.cuts.empty() ? number_width : 0) {}

  Drawing arrange(double pitch) {
    grid_.place_columns(routes_.gap_widths(number_), pitch);
    for (int b = 0; b < static_cast<int>(scene_.blocks.size()); ++b) draw_block(b);
    draw_frames();
    for (int b = 0; b < static_cast<int>(scene_.blocks.size()); ++b) draw_risers(b);
    for (const Connection& c : grid_.connections()) draw_connection(c);
    finish();
    return std::move(drawing_);
  }

 private:
  // ---- boxes

  int tint_of(ScopeId scope) {
    const std::string_view part = tape_.last_part(scope);
    if (const int known = drawing::tint_of(part); known != no_tint) return known;
    // The colours that the gates of LSTM and GRU have everywhere; other scopes take them in turn.
    const auto turn = other_tints_.try_emplace(std::string(part), other_tints_.size()).first->second;
    return static_cast<int>((turn + 2) % static_cast<std::size_t>(tint_count));
  }

  DrawnNode node(const Block& block, const Item& item, Rectangle box, bool in_gate) {
    DrawnNode result;
    result.id = item.id;
    result.node = item.node;
    result.members = item.members;
    result.look = item.look;
    result.box = box;
    result.text = item.text;
    result.tooltip = item.tooltip;
    result.dashed = item.look == Look::port;
    if (in_gate) result.tint = tint_of(item.scope);
    if (item.look != Look::gap && !is_folded(block)) result.flow = flow_of(block, item);
    if (options_.colour) result.colour = checked_colour(options_.colour(tape_, item.node), item.node);
    return result;
  }

  bool is_state_port(const Item& item) const {
    return item.look == Look::port && !item.repeated && scene_.has_spot(item.node);
  }

  // Of a port, what this block sends back through it.
  Flow flow_of(const Block& block, const Item& item) const {
    return is_state_port(item) && !block.initial ? pen_.from(item.node, block.step) : pen_.at(item.node);
  }

  std::string checked_colour(std::string colour, NodeId id) const {
    const bool right = colour.empty() || (colour.size() == 7 && colour[0] == '#' &&
                                          std::all_of(colour.begin() + 1, colour.end(),
                                                      [](unsigned char c) { return std::isxdigit(c) != 0; }));
    if (!right)
      throw Error(fmt::format("render: the hook for colours gave {} for {}, but a colour is written as #RRGGBB",
                              drawing::quoted(colour), tape_.where(id)));
    return colour;
  }

  void draw_block(int b) {
    const Block& block = scene_.blocks[b];
    const Layout& layout = grid_.layout(b);
    const Point by = grid_.origin(b);
    DrawnBlock drawn;
    drawn.shape = grid_.shape(b);
    drawn.origin = by;
    drawn.step = block.step;
    if (block.row != no_row) drawn.layer = tape_.path(scene_.rows[block.row].scope);

    std::map<ScopeId, DrawnFrame> frames;
    std::vector<ScopeId> order;
    std::set<ScopeId> has_inner;
    for (const Cluster& cluster : layout.clusters) {
      has_inner.insert(tape_.parent(cluster.scope));
      order.push_back(cluster.scope);
    }
    for (const Cluster& cluster : layout.clusters) {
      DrawnFrame& frame = frames[cluster.scope];
      const bool gate = !has_inner.contains(cluster.scope);
      frame.id = fmt::format("cluster_{}_{}", block_name(scene_, block), cluster.scope);
      frame.label = cluster_label(tape_, block, cluster.scope);
      frame.kind = gate ? DrawnFrame::Kind::gate : DrawnFrame::Kind::layer;
      if (gate) frame.tint = tint_of(cluster.scope);
      frame.box = cluster.box.moved(by);
      frame.label_at = cluster.label + by;
    }
    drawn.first_node = drawing_.nodes.size();
    for (std::size_t i = 0; i < block.items.size(); ++i) {
      const Item& item = block.items[i];
      const auto frame = frames.find(item.scope);
      const bool inside = !item.is_leaf() && frame != frames.end();
      const bool in_gate = block.gate_frames
                               ? inside && !has_inner.contains(item.scope)
                               : item.look == Look::gate && item.scope != 0 && item.scope != block.common_scope;
      drawing_.nodes.push_back(node(block, item, layout.items[i].moved(by), in_gate));
      (inside ? frame->second.nodes : directly_inside_[b]).push_back(item.id);
    }
    drawn.node_count = drawing_.nodes.size() - drawn.first_node;
    for (std::size_t k = order.size(); k-- > 0;) {
      const auto parent = frames.find(tape_.parent(order[k]));
      auto& list = parent == frames.end() ? drawn.frames : parent->second.inner;
      list.insert(list.begin(), std::move(frames.at(order[k])));
    }
    drawn.first_edge = drawing_.edges.size();
    const auto draw_line = [&](int from, int to, Curve curve) {
      for (Point& p : curve) p = p + by;
      DrawnEdge edge;
      edge.from = block.items[from].id;
      edge.to = block.items[to].id;
      edge.source = block.items[from].node;
      edge.curve = std::move(curve);
      const Look look = block.items[from].look;
      edge.kind = look == Look::parameter || tape_.parameter(edge.source) ? DrawnEdge::Kind::parameter
                  : (block.on_motorway(Link{from, to}) || is_state_port(block.items[from])) &&
                          !(is_folded(block) && pen_.has_gradients())
                      ? DrawnEdge::Kind::state
                      : DrawnEdge::Kind::data;
      edge.cut = look == Look::port && scene_.cuts.contains(edge.source);
      edge.flow = edge.cut || is_folded(block) ? Flow{} : flow_of(block, block.items[from]);
      drawing_.edges.push_back(std::move(edge));
    };
    for (std::size_t i = 0; i < block.links.size(); ++i)
      draw_line(block.links[i].from, block.links[i].to, layout.links[i]);
    for (std::size_t i = 0; i < block.loops.size(); ++i) {
      draw_line(block.loops[i].from, block.loops[i].to, layout.loops[i]);
      DrawnEdge& loop = drawing_.edges.back();
      loop.kind =
          pen_.has_gradients() ? DrawnEdge::Kind::data : DrawnEdge::Kind::state;  // wide lines are large gradients
      loop.label = scene_.rows[block.row].reverse != scene_.backward ? "t + 1" : "t − 1";
      const Rectangle box = grid_.placed({b, block.loops[i].from});
      loop.label_at = {box.left + 12, box.top + 25};
    }
    for (std::size_t r = 0; r < block.rails.size(); ++r)
      for (std::size_t i = 0; i < block.rails[r].readers.size() && block.rails[r].item != nowhere; ++i)
        draw_line(block.rails[r].item, block.rails[r].readers[i], layout.rails[r][i]);
    drawn.edge_count = drawing_.edges.size() - drawn.first_edge;
    drawing_.blocks.push_back(std::move(drawn));
  }

  // ---- frames of steps, with those of layers in them

  void draw_frames() {
    for (std::size_t b = 0; b < scene_.blocks.size();) {
      const int column = scene_.blocks[b].column;
      const std::size_t first = b;
      while (b < scene_.blocks.size() && scene_.blocks[b].column == column) ++b;
      if (scene_.columns[column].kind != Column::Kind::moment) {
        for (std::size_t k = first; k < b; ++k)
          for (const DrawnFrame& inner : drawing_.blocks[k].frames) drawing_.frames.push_back(inner);
        continue;
      }
      DrawnFrame step;
      step.id = fmt::format("cluster_step{}", column);
      step.label = scene_.heading(scene_.columns[column]);
      step.first_step = scene_.moments[scene_.columns[column].moment].first;
      step.last_step = scene_.moments[scene_.columns[column].moment].last;
      step.box = grid_.column_box(column);
      step.label_at = {step.box.centre().x, step.box.top - 9};
      for (std::size_t k = first; k < b; ++k) {
        if (!grid_.has_layer_frames()) {
          step.nodes = directly_inside_[static_cast<int>(k)];
          step.inner = drawing_.blocks[k].frames;
          continue;
        }
        DrawnFrame layer;
        layer.id = step.id + fmt::format("_row{}", scene_.blocks[k].row);
        layer.kind = DrawnFrame::Kind::layer;
        if (!scene_.blocks[k].gap) layer.label = std::string(tape_.last_part(scene_.rows[scene_.blocks[k].row].scope));
        layer.box = grid_.layer_box(static_cast<int>(k));
        layer.label_at = label_of_layer(static_cast<int>(k), layer);
        layer.nodes = directly_inside_[static_cast<int>(k)];
        layer.inner = drawing_.blocks[k].frames;
        step.inner.push_back(std::move(layer));
      }
      drawing_.frames.push_back(std::move(step));
    }
  }

  // At the left, or at the right where the line to the layer above crosses it.
  Point label_of_layer(int b, const DrawnFrame& layer) const {
    const double width = text_width(layer.label, 9), y = layer.box.top - 8;
    const Point left{layer.box.left + 8 + width / 2, y}, right{layer.box.right - 8 - width / 2, y};
    for (const Curve& riser : grid_.layout(b).risers)
      if (!riser.empty() && std::abs(riser.back().x + grid_.origin(b).x - left.x) < width / 2 + 3) return right;
    return left;
  }

  bool is_folded(const Block& block) const {
    const Column& column = scene_.columns[block.column];
    return column.kind == Column::Kind::moment && scene_.moments[column.moment].folded;
  }

  // ---- lines between blocks

  // From the layer below, straight up to a rail and along it.
  void draw_risers(int b) {
    const Block& block = scene_.blocks[b];
    const Layout& layout = grid_.layout(b);
    for (std::size_t r = 0; r < block.rails.size(); ++r) {
      const Rail& rail = block.rails[r];
      if (!rail.from_below) continue;
      const Spot from = scene_.spots[rail.sources[0]];
      Curve up = grid_.layout(from.block).risers[from.item];
      for (Point& p : up) p = p + grid_.origin(from.block);
      const double y = layout.rail_heights[r] + grid_.origin(b).y;
      for (std::size_t i = 0; i < rail.readers.size(); ++i) {
        Curve tail = layout.rails[r][i];
        for (Point& p : tail) p = p + grid_.origin(b);
        const Point top = up.back(), tap = tail.front();
        constexpr double nearly = 4;  // a step of so little is no step
        const Curve way =
            std::abs(top.x - tap.x) < nearly ? rounded({top, tap}, 0) : rounded({top, {top.x, y}, {tap.x, y}, tap}, 6);
        DrawnEdge edge;
        edge.from = item_at(from).id;
        edge.to = block.items[rail.readers[i]].id;
        edge.source = rail.sources[0];
        edge.curve = joined(joined(up, way), tail);
        if (!is_folded(block)) edge.flow = pen_.at(edge.source);
        drawing_.edges.push_back(std::move(edge));
      }
    }
  }

  void draw_connection(const Connection& c) {
    DrawnEdge edge;
    edge.from = item_at(c.from).id;
    edge.to = item_at(c.to).id;
    edge.source = c.source;
    const bool skips = scene_.blocks[c.from.block].column == scene_.blocks[c.to.block].column;
    edge.kind = item_at(c.from).look == Look::parameter ? DrawnEdge::Kind::parameter
                : skips                                 ? DrawnEdge::Kind::data
                                                        : DrawnEdge::Kind::state;
    edge.cut = scene_.cuts.contains(c.source);
    edge.curve = routes_.curve(c, grid_, number_);
    const std::int32_t reader = scene_.blocks[c.to.block].step;
    const bool several = scene_.blocks[c.to.block].gap || scene_.moments.empty();
    const bool folded = is_folded(scene_.blocks[c.to.block]);  // many steps in one line: no number says it
    if (folded && pen_.has_gradients()) edge.kind = DrawnEdge::Kind::data;
    if (!edge.cut && !folded) edge.flow = several ? pen_.at(c.source) : pen_.from(c.source, reader);
    // Lines that leave together have one number, that of the first: to the next step.
    const bool is_new = skips || is_unlabelled(c);
    if (is_new && !skips && edge.kind == DrawnEdge::Kind::state)
      edge.label = edge.cut ? "✂ cut" : Pen::words(edge.flow);
    if (!edge.label.empty()) {
      const Rectangle from = scene_.blocks[c.from.block].in_time()
                                 ? grid_.column_box(scene_.blocks[c.from.block].column)
                                 : grid_.placed(c.from);
      edge.label_at = {c.exits_right ? from.right + number_ / 2 : from.left - number_ / 2, grid_.exit_height(c) + 7};
    }
    drawing_.edges.push_back(std::move(edge));
  }

  // Whether there is room for a number where a line leaves its block.
  bool is_unlabelled(const Connection& c) {
    constexpr double label_height = 10;
    const double y = grid_.exit_height(c);
    std::vector<double>& taken = labelled_[{c.from.block, c.exits_right}];
    if (std::any_of(taken.begin(), taken.end(), [&](double other) { return std::abs(y - other) < label_height; }))
      return false;
    taken.push_back(y);
    return true;
  }

  const Item& item_at(Spot s) const { return scene_.blocks[s.block].items[s.item]; }

  void finish() {
    drawing_.notes = scene_.notes;
    drawing_.has_gradients = pen_.has_gradients();
    drawing_.largest = pen_.largest();
    drawing_.smallest = pen_.smallest();
    bool first = true;
    const auto include = [&](const Rectangle& r) {
      drawing_.box = first ? r : united(drawing_.box, r);
      first = false;
    };
    for (const DrawnNode& n : drawing_.nodes) include(n.box);
    for (const DrawnFrame& f : drawing_.frames) include(f.box);
    for (const DrawnEdge& e : drawing_.edges)
      for (const Point& p : e.curve) include({p.x, p.y, p.x, p.y});
    drawing_.box = drawing_.box.grown(4);
  }

  const Tape& tape_;
  const Scene& scene_;
  const RenderOptions& options_;
  const Pen pen_;
  Grid grid_;
  const Routes routes_;
  const double number_;
  std::map<int, std::vector<std::string>> directly_inside_;
  std::map<std::pair<int, bool>, std::vector<double>> labelled_;  // heights beside blocks, at the left or the right
  std::map<std::string, std::size_t> other_tints_;
  Drawing drawing_;
};

}  // namespace

Drawing arrange(const Tape& tape, const Scene& scene, const RenderOptions& options, double pitch) {
  return Arranger(tape, scene, options).arrange(pitch);
}

}  // namespace unroll::drawing
