#include <unroll/core/render/layout.hpp>

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/engine_text.hpp>
#include <unroll/core/render/graphviz.hpp>
#include <unroll/core/render/style.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr double rail_distance = 5, rail_room = 4, loop_height = 18, rail_indent = 12, corner_radius = 7;

// Straight from side to side where both stand at one height.
Curve across(const Rectangle& from, const Rectangle& to) {
  return rounded({{from.right, from.centre().y}, {to.left, to.centre().y}}, 0);
}

// From the side of an item on a rail along the rail, up to the tap, and on as the engine led the line.
Curve along_rail(const Rectangle& item, const Curve& from_tap) {
  const Point start{item.right, item.centre().y}, tap = from_tap.front();
  return joined(rounded({start, {tap.x, start.y}, tap}, corner_radius), from_tap);
}

// Puts the items on rails below what the engine arranged, and leads their lines to the taps.
void add_rails(const Block& block, const LaidOutGraph& engine, Layout& layout) {
  double first_tap = layout.box.left, y = layout.box.bottom, widest = 0;
  layout.rails.resize(block.rails.size());
  for (std::size_t r = 0; r < block.rails.size(); ++r)
    for (int reader : block.rails[r].readers) {
      layout.rails[r].push_back(engine.edge(tap(r, reader), fmt::format("i{}", reader)));
      if (block.in_time())
        for (const Point& p : layout.rails[r].back())
          layout.box = united(layout.box, {p.x, layout.box.bottom, p.x, layout.box.bottom});
      const Point start = layout.rails[r].back().front();
      first_tap = std::min(first_tap, start.x);
      if (block.in_time()) y = std::min(y, start.y);
    }
  if (!block.in_time()) layout.box.left = std::min(layout.box.left, first_tap);
  for (const Rail& rail : block.rails)
    if (rail.item != nowhere) widest = std::max(widest, layout.items[rail.item].width());
  layout.rail_heights.resize(block.rails.size());
  for (std::size_t r = 0; r < block.rails.size(); ++r) {
    if (block.rails[r].from_below) {
      y -= rail_distance + rail_room;
      layout.rail_heights[r] = y;
      layout.box.bottom = std::min(layout.box.bottom, y - rail_room);
      continue;
    }
    if (block.rails[r].item == nowhere) continue;
    Rectangle& item = layout.items[block.rails[r].item];
    y -= rail_distance + item.height() / 2;
    item = around({first_tap - rail_indent - widest / 2, y}, item.width(), item.height());
    y = item.bottom;
    layout.box = united(layout.box, item);
    for (Curve& line : layout.rails[r]) line = along_rail(item, line);
  }
}

// From the side of a box around it and back: a state that comes back at the next step.
Curve around_box(const Rectangle& box, double height) {
  const double y = box.top + height, out = 16;
  return rounded({{box.right, box.centre().y},
                  {box.right + out, box.centre().y},
                  {box.right + out, y},
                  {box.left - out, y},
                  {box.left - out, box.centre().y},
                  {box.left, box.centre().y}},
                 10);
}

// Where lines cross the label of a frame least: at its upper left, or at its upper right.
Point place_label(const Layout& layout, const Rectangle& box, double width, double below_top) {
  const auto crossings = [&](double centre) {
    const Rectangle label = around({centre, box.top - below_top}, width + 4, 9);
    int count = 0;
    const auto follow = [&](const Curve& curve) { count += passes(curve, label); };
    for (const Curve& curve : layout.links) follow(curve);
    for (const Curve& curve : layout.risers) follow(curve);
    return count;
  };
  const double left = box.left + 8 + width / 2, right = box.right - 8 - width / 2;
  return {crossings(right) < crossings(left) ? right : left, box.top - below_top};
}

// The frames of scopes with gates inside: around all that is in them. (As clusters of the engine they would only get in its way.)
void frame_layers(const Tape& tape, const Clusters& clusters, Layout& layout) {
  for (std::size_t k = layout.clusters.size(); k-- > 0;) {  // inner ones first
    Cluster& cluster = layout.clusters[k];
    if (clusters.is_gate(cluster.scope)) continue;
    std::optional<Rectangle> box;
    const auto include = [&](const Rectangle& r) { box = box ? united(*box, r) : r; };
    for (const Cluster& inner : layout.clusters)
      if (tape.parent(inner.scope) == cluster.scope) include(inner.box);
    if (const auto own = clusters.items.find(cluster.scope); own != clusters.items.end())
      for (int i : own->second) include(layout.items[i]);
    cluster.box = box->grown(7);
    cluster.box.top += 9;
  }
}

Layout lay_out(const Tape& tape, const Block& block, const std::vector<Rectangle>& sizes, Wishes wishes) {
  const LaidOutGraph engine(engine_text(tape, block, wishes), "dot");
  const auto name = [](int item) { return fmt::format("i{}", item); };

  std::vector<bool> on_rail(block.items.size());
  for (const Rail& rail : block.rails)
    if (rail.item != nowhere) on_rail[rail.item] = true;

  Layout layout;
  layout.items.resize(block.items.size());
  for (int i = 0; i < static_cast<int>(block.items.size()); ++i)
    if (!on_rail[i]) layout.items[i] = engine.node(name(i));
  for (const Link& link : block.links)
    layout.links.push_back(block.on_motorway(link) ? across(layout.items[link.from], layout.items[link.to])
                                                   : engine.edge(name(link.from), name(link.to)));
  layout.risers.resize(block.items.size());
  for (int i = 0; i < static_cast<int>(block.items.size()); ++i)
    if (block.items[i].rises) layout.risers[i] = engine.edge(name(i), riser(i));
  for (const Link& loop : block.loops) layout.loops.push_back(around_box(layout.items[loop.from], loop_height));
  const Clusters clusters = find_clusters(tape, block);
  for (ScopeId scope : clusters.order) {
    const int depth = clusters.depth.at(scope);
    if (clusters.is_gate(scope)) {
      const auto [box, label] = engine.cluster(fmt::format("cluster_{}", scope));
      layout.clusters.push_back({scope, depth, box, label});
    } else {
      layout.clusters.push_back({scope, depth, {}, {}});
    }
  }
  frame_layers(tape, clusters, layout);

  // The box is around everything but the items on rails, which have no place yet.
  std::optional<Rectangle> box;
  const auto include = [&](const Rectangle& r) { box = box ? united(*box, r) : r; };
  for (std::size_t i = 0; i < block.items.size(); ++i)
    if (!on_rail[i]) include(layout.items[i]);
  for (const Cluster& cluster : layout.clusters) include(cluster.box);
  for (const Curve& loop : layout.loops)
    for (const Point& p : loop) include({p.x, p.y, p.x, p.y + 10});
  if (block.in_time())
    for (const Curve& link : layout.links)
      for (const Point& p : link) include({p.x, p.y, p.x, p.y});
  layout.box = box.value_or(Rectangle{});
  for (Cluster& cluster : layout.clusters)
    cluster.label = place_label(layout, cluster.box, text_width(cluster_label(tape, block, cluster.scope), 9), 8);

  auto size = sizes.begin();
  for (const Rail& rail : block.rails)
    if (rail.item != nowhere) layout.items[rail.item] = *size++;
  add_rails(block, engine, layout);
  return layout;
}

// How many rows of boxes stand over the end of a riser, which goes straight up from there.
int over_risers(const Layout& layout) {
  std::size_t most = 0;
  for (const Curve& riser : layout.risers) {
    if (riser.empty()) continue;
    const Point end = riser.back();
    std::vector<double> heights;
    for (const Rectangle& item : layout.items)
      if (item.overlaps({end.x - 3, end.y, end.x + 3, layout.box.top + 1})) heights.push_back(item.centre().y);
    std::sort(heights.begin(), heights.end());
    heights.erase(std::unique(heights.begin(), heights.end()), heights.end());
    most = std::max(most, heights.size());
  }
  return static_cast<int>(most);
}

// What makes a layout hard to read, in points of line: how far lines run, and above all boxes in the way of a motorway or of a state that leaves.
double badness(const Block& block, const Layout& layout) {
  constexpr double box_in_the_way = 2000;
  double result = 0;
  const auto follow = [&](const Curve& curve) {
    for (std::size_t i = 3; i < curve.size(); i += 3)
      result += std::hypot(curve[i].x - curve[i - 3].x, curve[i].y - curve[i - 3].y);
  };
  for (const Curve& curve : layout.links) follow(curve);
  for (const auto& rail : layout.rails)
    for (const Curve& curve : rail) follow(curve);

  const auto clear = [&](double left, double right, double y) {
    if (right < left) result += box_in_the_way;  // backwards
    for (const Rectangle& item : layout.items)
      if (item.overlaps({left, y - 1, right, y + 1})) result += box_in_the_way;
  };
  result += box_in_the_way * over_risers(layout);
  for (const Motorway& motorway : block.motorways) {
    const Rectangle *before = nullptr, *item = nullptr;
    for (int i : motorway.way) {
      item = &layout.items[i];
      clear(before ? before->right + 1 : layout.box.left, item->left - 1, item->centre().y);
      before = item;
    }
  }
  for (std::size_t i = 0; i < block.items.size(); ++i)
    if (block.items[i].look == Look::state && block.in_time())
      clear(layout.items[i].right + 1, layout.box.right + 2, layout.items[i].centre().y);
  return result;
}

// Whether there is a way along links from one item to another.
bool leads_to(const Block& block, int from, int to) {
  std::vector<bool> reached(block.items.size());
  reached[from] = true;
  for (bool grows = true; grows;) {
    grows = false;
    for (const Link& link : block.links)
      if (reached[link.from] && !reached[link.to]) reached[link.to] = grows = true;
  }
  return reached[to];
}

// Links that would take boxes off the motorways if they were longer: those to what must stand above, and those from what may stand below; or, with
// `upwards`, those to everything.
std::vector<int> in_the_way(const Block& block, const Layout& layout, bool upwards) {
  std::vector<int> result;
  for (const Motorway& motorway : block.motorways) {
    const Rectangle& last = layout.items[motorway.way.back()];
    const double y = last.centre().y;
    for (int i = 0; i < static_cast<int>(block.items.size()); ++i) {
      const bool on_way = std::find(motorway.way.begin(), motorway.way.end(), i) != motorway.way.end();
      if (on_way || block.items[i].is_leaf() ||
          !layout.items[i].overlaps({layout.box.left, y - 2, layout.box.right, y + 2}))
        continue;
      const bool above = upwards || std::any_of(motorway.way.begin(), motorway.way.end(),
                                                [&](int lane) { return leads_to(block, lane, i); });
      for (int k = 0; k < static_cast<int>(block.links.size()); ++k)
        if ((above ? block.links[k].to : block.links[k].from) == i) result.push_back(k);
    }
  }
  return result;
}

// The best of several layouts.
Layout best_layout(const Tape& tape, const Block& block) {
  // Items on rails are not the engine's business, but for their sizes.
  std::vector<Item> on_rails;
  for (const Rail& rail : block.rails)
    if (rail.item != nowhere) on_rails.push_back(block.items[rail.item]);
  const std::vector<Rectangle> sizes = sizes_of(on_rails);
  // The engine works hard for short lines, not for free ways: try what it makes of several wishes. What then stands in the way of a motorway is
  // moved up or down, and so on.
  std::optional<Layout> best;
  double least = 0;
  std::vector<int> longer;
  int rise = 1;
  const bool large = block.items.size() > large_block;
  const int rounds = large ? 1 : 6;
  for (int round = 0; round < rounds; ++round) {
    std::optional<Layout> best_of_round;
    double least_of_round = 0;
    for (const bool ordered : {true, false})
      for (const bool posts : {false, true}) {
        if (large && best_of_round) continue;
        Layout layout = lay_out(tape, block, sizes, {ordered, posts, rise, longer});
        // The order of recording is mostly that of the textbook: worth a detour.
        const double bad = badness(block, layout) * (ordered ? 1 : 1.1);
        if (best_of_round && bad >= least_of_round) continue;
        best_of_round = std::move(layout);
        least_of_round = bad;
      }
    const auto apart = in_the_way(block, *best_of_round, round % 2 == 1);
    const int higher = over_risers(*best_of_round);
    if (!best || least_of_round < least) {
      best = std::move(best_of_round);
      least = least_of_round;
    }
    if (apart.empty() && higher == 0) break;
    rise += higher;
    longer.insert(longer.end(), apart.begin(), apart.end());
  }
  return *best;
}

}  // namespace

// All that decides where things go is in the engine's text.
std::string signature(const Tape& tape, const Block& block) {
  std::string result = engine_text(tape, block, {});
  for (const Link& loop : block.loops) result += fmt::format("loop {}\n", loop.from);
  for (const Rail& rail : block.rails)
    result += fmt::format("{} {} {}\n", rail.item, rail.from_below,
                          rail.item == nowhere ? "" : html_label(block.items[rail.item].widest));
  return result;
}

std::vector<Rectangle> sizes_of(const std::vector<Item>& items) {
  if (items.empty()) return {};
  std::string text = "digraph { " + std::string(node_format) + "\n";
  for (std::size_t i = 0; i < items.size(); ++i)
    text += fmt::format("i{} [label={}];\n", i, html_label(items[i].widest));
  const LaidOutGraph engine(text + "}\n", "dot");
  std::vector<Rectangle> result;
  for (std::size_t i = 0; i < items.size(); ++i) result.push_back(engine.node(fmt::format("i{}", i)));
  return result;
}

Layout Layout::mirrored() const {
  Layout m = *this;
  const auto flip = [](Rectangle& r) { r = {-r.right, r.bottom, -r.left, r.top}; };
  const auto flip_curve = [](Curve& curve) {
    for (Point& p : curve) p.x = -p.x;
  };
  for (Rectangle& r : m.items) flip(r);
  for (Curve& curve : m.links) flip_curve(curve);
  for (Curve& curve : m.loops) flip_curve(curve);
  for (Curve& curve : m.risers) flip_curve(curve);
  for (auto& rail : m.rails)
    for (Curve& curve : rail) flip_curve(curve);
  for (Cluster& cluster : m.clusters) {
    flip(cluster.box);
    cluster.label.x = -cluster.label.x;
  }
  flip(m.box);
  return m;
}

// Laid out once in the life of the process, while there are not too many: a network is drawn at several levels, and again after every change of its weights.
Layout lay_out(const Tape& tape, const Block& block) {
  constexpr std::size_t most = 1000;
  static std::mutex mutex;
  static std::unordered_map<std::string, Layout> known;
  const std::string key = signature(tape, block);
  {
    const std::lock_guard lock(mutex);
    if (const auto at = known.find(key); at != known.end()) return at->second;
  }
  Layout layout = best_layout(tape, block);
  const std::lock_guard lock(mutex);
  if (known.size() >= most) known.clear();
  return known.emplace(key, std::move(layout)).first->second;
}

}  // namespace unroll::drawing
