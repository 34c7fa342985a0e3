#include <unroll/core/render/arrange.hpp>

#include <unroll/core/render/engine_text.hpp>
#include <unroll/core/render/layout.hpp>
#include <unroll/core/render/style.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double frame_margin = 9, heading = 16;                      // of the frame around a step
constexpr double gap_margin = 12, lane_pitch = 9, channel_pitch = 9;  // of the lines between the steps
constexpr double gradient_width = 44;                                 // room for a number on a state's line
constexpr double corner_radius = 8;

// How wide and in which colour a line is drawn: by the gradient of the node that it comes from.
class Pen {
 public:
  Pen(const Tape& tape, const Scene& scene, const Gradients* gradients)
      : tape_(tape), scene_(scene), gradients_(gradients) {
    if (!gradients) return;
    for (const auto& [id, spot] : scene.spots)
      if (const double n = norm(id); n > 0 && std::isfinite(n)) largest_ = std::max(largest_, n);
  }

  void draw(DrawnEdge& edge, NodeId source) const {
    edge.colour = edge.state ? state_colours.strong : line;
    edge.width = edge.state ? 1.8 : 0.9;
    edge.dashed = is_cut(source);
    if (edge.dashed || !gradients_) return;
    if (!gradients_->contains(tape_.var(source))) {
      edge.colour = faint;
      edge.dashed = true;
      edge.width = 0.7;
      return;
    }
    const double n = norm(source);
    if (!std::isfinite(n)) {
      edge.colour = alarm;
      edge.width = 4;
      return;
    }
    // Logarithmic: each factor of ten below the largest gradient takes the same amount off, down to a hairline.
    constexpr double decades = 5, widest = 4, hairline = 0.4;
    const double below = n > 0 ? std::log10(largest_ / n) : decades;
    edge.width = std::max(hairline, widest - (widest - hairline) * below / decades);
  }

  bool is_cut(NodeId source) const { return scene_.cuts.contains(source); }

  std::string label(NodeId source) const {
    if (is_cut(source)) return "✂ cut";
    if (!gradients_) return {};
    return "∇ " + (gradients_->contains(tape_.var(source)) ? number(norm(source)) : std::string("–"));
  }

 private:
  double norm(NodeId id) const {
    const Var var = tape_.var(id);
    return gradients_->contains(var) ? gradients_->norm(var) : 0;
  }

  const Tape& tape_;
  const Scene& scene_;
  const Gradients* gradients_;
  double largest_ = 0;
};

// One line from a node of one column to the entrance of another one.
struct Connection {
  Spot from;
  NodeId source = no_node;
  Spot to;                      // a port, an input, the first item of a motorway, or a reader outside of time
  Point entrance;               // where the line ends, or `tail` takes over; in the coordinates of the block
  const Curve* tail = nullptr;  // the last piece of the way, outside of time
  bool straight = false;        // along a motorway
  int group = 0;                // lines of a group share one channel below the steps
  bool neighbour = false;       // between adjacent columns
};

class Arranger {
 public:
  Arranger(const Tape& tape, const Scene& scene, const DrawOptions& options, double pitch)
      : tape_(tape), scene_(scene), options_(options), pitch_(pitch), pen_(tape, scene, options.gradients) {}

  Drawing arrange() {
    lay_out_blocks();
    find_connections();
    choose_lanes();
    place_columns();
    for (std::size_t b = 0; b < scene_.blocks.size(); ++b) draw_block(b);
    draw_initial();
    for (const Connection& c : connections_) draw_connection(c);
    finish();
    return std::move(drawing_);
  }

 private:
  // ---- columns: the blocks from left to right, with the initial states before the first step

  void lay_out_blocks() {
    std::map<std::string, std::shared_ptr<const Layout>> known;
    for (const Block& block : scene_.blocks) {
      auto& layout = known[signature(tape_, block)];
      if (!layout) layout = std::make_shared<const Layout>(lay_out(tape_, block));
      layouts_.push_back(layout);
    }
    lift_.assign(scene_.blocks.size(), 0);
    first_step_ = static_cast<int>(std::find_if(scene_.blocks.begin(), scene_.blocks.end(),
                                                [](const Block& block) { return block.step != no_step; }) -
                                   scene_.blocks.begin());
  }

  // The initial states stand in a column of their own before the first step.
  static constexpr int initial_block = nowhere;
  int column(int block) const {
    if (scene_.initial.empty()) return block;
    return block == initial_block ? first_step_ : block < first_step_ ? block : block + 1;
  }
  int columns() const { return static_cast<int>(scene_.blocks.size()) + (scene_.initial.empty() ? 0 : 1); }

  bool has_spot(NodeId id) const { return scene_.spots.contains(id); }

  // ---- lines between columns

  void find_connections() {
    for (int b = 0; b < static_cast<int>(scene_.blocks.size()); ++b) {
      const Block& block = scene_.blocks[b];
      const Layout& layout = *layouts_[b];
      const auto entrance = [&](int item) { return Point{layout.items[item].left, layout.items[item].centre().y}; };
      for (const Motorway& motorway : block.motorways)
        connect({motorway.source}, {b, motorway.way.front()}, entrance(motorway.way.front()), nullptr, true);
      for (std::size_t r = 0; r < block.rails.size(); ++r) {
        const Rail& rail = block.rails[r];
        if (rail.item != nowhere)
          connect(rail.sources, {b, rail.item}, entrance(rail.item), nullptr, false);
        else
          for (std::size_t i = 0; i < rail.readers.size(); ++i)
            connect(rail.sources, {b, rail.readers[i]}, layout.rails[r][i].front(), &layout.rails[r][i], false);
      }
    }
    place_initial();
    lift_blocks();
  }

  void connect(const std::vector<NodeId>& sources, Spot to, Point entrance, const Curve* tail, bool straight) {
    const int group = groups_.try_emplace(sources, static_cast<int>(groups_.size())).first->second;
    for (NodeId source : sources) {
      if (!has_spot(source)) continue;
      const Spot from = scene_.spots.at(source);
      const bool neighbour = sources.size() == 1 && column(from.block) + 1 == column(to.block);
      connections_.push_back({from, source, to, entrance, tail, straight, group, neighbour});
    }
  }

  // Lifts a block so that the first motorway that enters it, or the first line that enters from the last step, runs straight on. Steps that
  // are built alike stay at one height.
  void lift_blocks() {
    std::vector<bool> lifted(lift_.size());
    for (const Connection& c : connections_) {
      if (!c.neighbour || c.from.block == initial_block || lifted[c.to.block] || !(c.straight || c.tail)) continue;
      if (layouts_[c.from.block] == layouts_[c.to.block]) {
        lift_[c.to.block] = lift_[c.from.block];
        continue;
      }
      lift_[c.to.block] = exit_height(c.from) - c.entrance.y;
      lifted[c.to.block] = true;
    }
  }

  // Height of the middle of an item.
  double height(int block, int item) const {
    if (block == initial_block) return initial_[item].centre().y;
    return layouts_[block]->items[item].centre().y + lift_[block];
  }

  double entrance_height(const Connection& c) const { return c.entrance.y + lift_[c.to.block]; }

  // An initial state stands at the height at which it enters, motorways first.
  void place_initial() {
    if (scene_.initial.empty()) return;
    initial_ = sizes_of(scene_.initial);
    std::vector<double> at(initial_.size(), std::numeric_limits<double>::quiet_NaN());
    for (const bool straight : {true, false})
      for (const Connection& c : connections_)
        if (c.from.block == initial_block && c.straight == straight && std::isnan(at[c.from.item]))
          at[c.from.item] = entrance_height(c);
    std::vector<std::size_t> order(at.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return at[a] > at[b]; });
    double ceiling = std::numeric_limits<double>::max();
    for (std::size_t i : order) {
      const double h = initial_[i].height();
      const double y = std::min(std::isnan(at[i]) ? 0 : at[i], ceiling - h / 2);
      initial_[i] = around({0, y}, initial_[i].width(), h);
      ceiling = y - h / 2 - 4;
    }
  }

  bool runs_straight(const Connection& c) const {
    return c.neighbour && std::abs(exit_height(c.from) - entrance_height(c)) < 0.01;
  }

  // In the gap before column k, lines that change their height have a lane each. Those that leave a column stand on the left, the
  // higher the further right; those that come up from a channel on the right.
  void choose_lanes() {
    gaps_.resize(columns() + 1);
    std::set<int> channels;
    for (const Connection& c : connections_) {
      if (runs_straight(c)) continue;
      leaving(c).emplace(std::pair{exit_height(c.from), c.source}, 0);
      if (c.neighbour) continue;
      channels.insert(c.group);
      gaps_[column(c.to.block)].arriving.emplace(std::pair{-entrance_height(c), c.group}, 0);
    }
    int k = 0;
    for (int group : channels) channel_[group] = k++;
    for (Gap& gap : gaps_) {
      int lane = 0;
      for (auto& [key, x] : gap.leaving) x = lane_pitch * lane++;
      for (auto& [key, x] : gap.arriving) x = lane_pitch * lane++;
      gap.lanes = lane;
    }
  }

  struct Gap {
    std::map<std::pair<double, NodeId>, double>
        leaving;  // by height and source, from the left: x, at first from the first lane
    std::map<std::pair<double, int>, double> arriving;
    int lanes = 0;
    double width() const { return 2 * gap_margin + lane_pitch * std::max(0, lanes - 1); }
  };
  std::map<std::pair<double, NodeId>, double>& leaving(const Connection& c) {
    return gaps_[column(c.from.block) + 1].leaving;
  }

  void place_columns() {
    const double numbers = options_.gradients || !scene_.cuts.empty() ? gradient_width : 0;
    // Equal gaps between steps, so that time has an even pace.
    double between_steps = 0;
    const auto is_between_steps = [&](int k) {
      return k > column(first_step_) && k < columns() && block_at(k) >= 0 && scene_.blocks[block_at(k)].step != no_step;
    };
    for (int k = 0; k <= columns(); ++k)
      if (is_between_steps(k)) between_steps = std::max(between_steps, gaps_[k].width());
    double x = 0, middle = 0;
    offset_.resize(columns());
    for (int k = 0; k < columns(); ++k) {
      Gap& gap = gaps_[k];
      const double width = is_between_steps(k) ? between_steps : gap.width();
      const double room = k == 0 ? 0 : numbers;
      if (k > 0 || gap.lanes > 0) {
        for (auto& [key, at] : gap.leaving) at += x + room + gap_margin;
        for (auto& [key, at] : gap.arriving) at += x + room + gap_margin;
        x += width + room;
      }
      x = std::ceil(x);  // whole numbers: equal steps stay equal to the last digit
      const Rectangle box = column_box(k);
      if (is_between_steps(k)) x = std::max(x, std::ceil(middle + pitch_ - box.width() / 2));
      middle = x + box.width() / 2;
      offset_[k] = x - std::floor(box.left);
      x += std::ceil(box.right) - std::floor(box.left);
    }
    for (auto& [key, at] : gaps_.back().leaving) at += x + numbers + gap_margin;
  }

  int block_at(int k) const {
    for (int b = initial_block; b < static_cast<int>(scene_.blocks.size()); ++b)
      if ((b != initial_block || !scene_.initial.empty()) && column(b) == k) return b;
    return -2;
  }

  bool has_frame(std::size_t block) const { return scene_.blocks[block].step != no_step; }

  // The frame of a block, before it is moved to its place.
  Rectangle frame(std::size_t block) const {
    Rectangle box = layouts_[block]->box;
    if (!has_frame(block)) return box;
    box = box.grown(frame_margin);
    box.top += heading - frame_margin / 2;
    return box;
  }

  Rectangle column_box(int k) const {
    const int b = block_at(k);
    if (b != initial_block) return frame(b);
    Rectangle box = initial_.front();
    for (const Rectangle& item : initial_) box = united(box, item);
    return box;
  }

  Point origin(int block) const { return {offset_[column(block)], block == initial_block ? 0 : lift_[block]}; }
  Rectangle placed(int block, int item) const {
    return (block == initial_block ? initial_ : layouts_[block]->items)[item].moved(origin(block));
  }

  // ---- the way out of a block: to the right at the height of the item, or right above it where other items stand in the way

  double exit_height(Spot from) const {
    const double middle = height(from.block, from.item);
    if (from.block == initial_block) return middle;
    const Layout& layout = *layouts_[from.block];
    const Rectangle& item = layout.items[from.item];
    const double lift = lift_[from.block];
    const auto is_free = [&](double y) {
      const Rectangle way{item.right + 1, y - 2, layout.box.right + 1, y + 2};
      return std::none_of(layout.items.begin(), layout.items.end(),
                          [&](const Rectangle& other) { return way.overlaps(other); });
    };
    for (const double y : {item.centre().y, item.top - 3, item.bottom + 3, item.top + 6, item.top + 9})
      if (is_free(y)) return y + lift;
    return middle;
  }

  std::vector<Point> way_out(Spot from, double x) const {
    const Rectangle item = placed(from.block, from.item);
    const double y = exit_height(from);
    if (y < item.top) return {{item.right, y}, {x, y}};
    return {{item.centre().x, item.top}, {item.centre().x, y}, {x, y}};
  }

  void draw_connection(const Connection& c) {
    const Point end = c.entrance + origin(c.to.block);
    std::vector<Point> corners;
    if (runs_straight(c)) {
      corners = {{placed(c.from.block, c.from.item).right, end.y}, end};
    } else {
      const double down = leaving(c).at({exit_height(c.from), c.source});
      corners = way_out(c.from, down);
      if (c.neighbour) {
        corners.push_back({down, end.y});
      } else {
        const double up = gaps_[column(c.to.block)].arriving.at({-entrance_height(c), c.group});
        const double y = channel_height(c.group);
        corners.insert(corners.end(), {{down, y}, {up, y}, {up, end.y}});
      }
      corners.push_back(end);
    }
    DrawnEdge edge;
    edge.from = item_at(c.from).id;
    edge.to = item_at(c.to).id;
    edge.curve = rounded(corners, corner_radius);
    if (c.tail) {
      Curve tail = *c.tail;
      for (Point& p : tail) p = p + origin(c.to.block);
      edge.curve = joined(std::move(edge.curve), tail);
    }
    edge.state = true;
    pen_.draw(edge, c.source);
    if (labelled_.insert(c.source).second) edge.label = pen_.label(c.source);
    if (!edge.label.empty()) {
      const double right = c.from.block == initial_block ? placed(c.from.block, c.from.item).right
                                                         : frame(c.from.block).moved(origin(c.from.block)).right;
      edge.label_at = {right + gradient_width / 2, exit_height(c.from) + (pen_.is_cut(c.source) ? -7 : 7)};
    }
    drawing_.edges.push_back(std::move(edge));
  }

  const Item& item_at(Spot s) const {
    return s.block == initial_block ? scene_.initial[s.item] : scene_.blocks[s.block].items[s.item];
  }

  double channel_height(int group) const {
    double floor = 0;
    for (std::size_t b = 0; b < scene_.blocks.size(); ++b) floor = std::min(floor, frame(b).bottom + lift_[b]);
    return floor - channel_pitch * (1 + channel_.at(group));
  }

  // ---- boxes

  Colours colours_of(ScopeId scope) {
    const std::string_view part = tape_.last_part(scope);
    for (const NamedColours& known : gate_colours)
      if (part.starts_with(known.part)) return known.colours;
    const auto turn = other_colours_.try_emplace(std::string(part), other_colours_.size()).first->second;
    return gate_colours[(turn + 2) % gate_colours.size()].colours;
  }

  DrawnNode node(const Item& item, Rectangle box, bool in_gate) {
    DrawnNode result{item.id,          item.look,        box,  item.text, item.tooltip, "#FFFFFF",
                     std::string(ink), std::string(ink), false};
    const auto paint = [&](std::string_view fill, std::string_view border, std::string_view letters) {
      result.fill = fill;
      result.border = border;
      result.letters = letters;
    };
    const Colours gate = in_gate ? colours_of(item.scope) : Colours{line, "#FFFFFF"};
    switch (item.look) {
      case Look::operation: paint(gate.tint, gate.strong, ink); break;
      case Look::result: in_gate ? paint(gate.strong, gate.strong, "#FFFFFF") : paint("#FFFFFF", ink, ink); break;
      case Look::state: paint(state_colours.tint, state_colours.strong, ink); break;
      case Look::input: paint(input_colours.tint, input_colours.strong, ink); break;
      case Look::port: {
        const bool state = has_spot(item.node);
        paint(state ? "#F4F0FA" : input_colours.tint, state ? state_colours.strong : input_colours.strong, ink);
        result.dashed = true;
        break;
      }
    }
    return result;
  }

  void draw_block(std::size_t b) {
    const Block& block = scene_.blocks[b];
    const Layout& layout = *layouts_[b];
    const Point by = origin(static_cast<int>(b));
    const std::string suffix = has_frame(b) ? block_name(block) : fmt::format("b{}", b);

    std::map<ScopeId, DrawnCluster> clusters;
    std::vector<ScopeId> order;
    std::set<ScopeId> has_inner;
    for (const Cluster& cluster : layout.clusters) {
      has_inner.insert(tape_.parent(cluster.scope));
      order.push_back(cluster.scope);
    }
    for (const Cluster& cluster : layout.clusters) {
      DrawnCluster& drawn = clusters[cluster.scope];
      const bool gate = !has_inner.contains(cluster.scope);
      drawn.id = fmt::format("cluster_{}_{}", suffix, cluster.scope);
      drawn.label = cluster_label(tape_, block, cluster.scope);
      drawn.box = cluster.box.moved(by);
      drawn.label_at = cluster.label + by;
      const Colours colours = gate ? colours_of(cluster.scope) : input_colours;
      drawn.fill = gate ? "#FFFFFF" : "#FCFCFD";
      drawn.border = colours.strong;
      drawn.letters = colours.strong;
    }
    DrawnCluster outer;
    outer.id = fmt::format("cluster_{}", suffix);
    outer.label = fmt::format("t = {}", block.step);
    outer.box = frame(b).moved(by);
    outer.label_at = {outer.box.centre().x, outer.box.top - 9};
    outer.fill = step_fill;
    outer.border = step_frame;
    outer.letters = ink;

    for (std::size_t i = 0; i < block.items.size(); ++i) {
      const Item& item = block.items[i];
      const auto cluster = clusters.find(item.scope);
      const bool leaf = item.look == Look::input || item.look == Look::port;
      const bool inside = !leaf && cluster != clusters.end();
      drawing_.nodes.push_back(node(item, layout.items[i].moved(by), inside && !has_inner.contains(item.scope)));
      (inside ? cluster->second : outer).nodes.push_back(item.id);
    }
    for (std::size_t k = order.size(); k-- > 0;) {
      const auto parent = clusters.find(tape_.parent(order[k]));
      auto& list = parent == clusters.end() ? outer.inner : parent->second.inner;
      list.insert(list.begin(), std::move(clusters.at(order[k])));
    }
    if (has_frame(b))
      drawing_.clusters.push_back(std::move(outer));
    else
      for (DrawnCluster& inner : outer.inner) drawing_.clusters.push_back(std::move(inner));

    const auto draw_line = [&](int from, int to, Curve curve) {
      for (Point& p : curve) p = p + by;
      DrawnEdge edge;
      edge.from = block.items[from].id;
      edge.to = block.items[to].id;
      edge.curve = std::move(curve);
      edge.state = block.on_motorway(Link{from, to});
      pen_.draw(edge, block.items[from].node);
      if (block.items[from].look == Look::port && has_spot(block.items[from].node) && !edge.dashed)
        edge.colour = state_colours.strong;
      drawing_.edges.push_back(std::move(edge));
    };
    for (std::size_t i = 0; i < block.links.size(); ++i)
      draw_line(block.links[i].from, block.links[i].to, layout.links[i]);
    for (std::size_t r = 0; r < block.rails.size(); ++r)
      for (std::size_t i = 0; i < block.rails[r].readers.size() && block.rails[r].item != nowhere; ++i)
        draw_line(block.rails[r].item, block.rails[r].readers[i], layout.rails[r][i]);
  }

  void draw_initial() {
    for (std::size_t i = 0; i < scene_.initial.size(); ++i)
      drawing_.nodes.push_back(node(scene_.initial[i], placed(initial_block, static_cast<int>(i)), false));
  }

  void finish() {
    drawing_.title = options_.title;
    bool first = true;
    const auto include = [&](const Rectangle& r) {
      drawing_.box = first ? r : united(drawing_.box, r);
      first = false;
    };
    for (const DrawnNode& n : drawing_.nodes) include(n.box);
    for (const DrawnCluster& c : drawing_.clusters) include(c.box);
    for (const DrawnEdge& e : drawing_.edges)
      for (const Point& p : e.curve) include({p.x, p.y, p.x, p.y});
    drawing_.box = drawing_.box.grown(4);
    if (!drawing_.title.empty()) drawing_.box.top += 22;
  }

  const Tape& tape_;
  const Scene& scene_;
  const DrawOptions& options_;
  const double pitch_;
  const Pen pen_;
  std::vector<std::shared_ptr<const Layout>> layouts_;
  std::vector<double> lift_, offset_;
  int first_step_ = 0;
  std::vector<Rectangle> initial_;
  std::vector<Connection> connections_;
  std::map<std::vector<NodeId>, int> groups_;
  std::vector<Gap> gaps_;
  std::map<int, int> channel_;
  std::set<NodeId> labelled_;
  std::map<std::string, std::size_t> other_colours_;
  Drawing drawing_;
};

}  // namespace

Drawing arrange(const Tape& tape, const Scene& scene, const DrawOptions& options, double pitch) {
  return Arranger(tape, scene, options, pitch).arrange();
}

}  // namespace unroll::drawing
