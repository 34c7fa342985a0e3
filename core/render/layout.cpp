#include <unroll/core/render/layout.hpp>

#include <unroll/core/render/graphviz.hpp>
#include <unroll/core/render/style.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace unroll::render {

namespace {

constexpr double rail_distance = 5, rail_indent = 12, corner_radius = 7;

bool is_leaf(const Item& item) { return item.look == Look::input || item.look == Look::port; }

// The scopes that are drawn as clusters: those below the common one, with the items directly in each.
struct Clusters {
  std::vector<ScopeId> order;  // by first item, outer ones before inner ones
  std::map<ScopeId, std::vector<int>> items;
  std::map<ScopeId, int> depth;
  std::set<ScopeId> outer;  // those with other ones inside

  // The innermost ones: gates, or layers without gates.
  bool is_gate(ScopeId scope) const { return depth.contains(scope) && !outer.contains(scope); }
};

Clusters find_clusters(const Tape& tape, const Block& block) {
  Clusters result;
  for (int i = 0; i < static_cast<int>(block.items.size()); ++i) {
    const Item& item = block.items[i];
    if (is_leaf(item)) continue;
    std::vector<ScopeId> chain;
    for (ScopeId scope = item.scope; scope != block.common_scope && scope != 0; scope = tape.parent(scope))
      chain.push_back(scope);
    for (std::size_t k = chain.size(); k-- > 0;)
      if (!result.depth.contains(chain[k])) {
        result.depth[chain[k]] = static_cast<int>(chain.size() - k);
        result.order.push_back(chain[k]);
        if (k + 1 < chain.size()) result.outer.insert(chain[k + 1]);
      }
    if (!chain.empty()) result.items[item.scope].push_back(i);
  }
  return result;
}

std::string tap(std::size_t rail, int reader) { return fmt::format("tap{}_{}", rail, reader); }

// A block as DOT text for the engine `dot`. The engine is asked for more than it can see in the graph:
// - each reader of a rail gets a tap, an invisible point at the edge of the block, so that the engine leads its line around boxes;
// - the items of a motorway stand at one height, and invisible points beside them and beside other states keep the way out free;
// - gates stand from left to right as they were recorded.
class EngineText {
 public:
  EngineText(const Tape& tape, const Block& block) : tape_(tape), block_(block), clusters_(find_clusters(tape, block)) {}

  // Whether the gates are told to stand in the order of recording.
  std::string write(bool ordered) {
    ordered_ = ordered;
    out(fmt::format("digraph {{ rankdir={}; nodesep=0.16; ranksep=0.26; fontsize=9; {};",
                    block_.beside_time ? "LR" : "BT", font));
    out(std::string(node_format));
    items();
    for (ScopeId scope : clusters_.order)
      if (clusters_.depth.at(scope) == 1) cluster(scope);
    links();
    taps();
    if (!block_.beside_time) ways(block_.common_scope);
    out("}");
    return std::move(text_);
  }

 private:
  void out(const std::string& line) { text_ += line + "\n"; }
  void point(const std::string& name) { out(name + " [shape=point, width=0.01, label=\"\"];"); }

  void items() {
    std::vector<bool> on_rail(block_.items.size());
    for (const Rail& rail : block_.rails)
      if (rail.item != nowhere) on_rail[rail.item] = true;
    for (std::size_t i = 0; i < block_.items.size(); ++i)
      if (!on_rail[i]) out(fmt::format("i{} [label={}];", i, html_label(block_.items[i].widest)));
  }

  void cluster(ScopeId scope) {
    // The engine turns the picture upside down, labels included.
    out(fmt::format("subgraph cluster_{} {{ label={}; labelloc={}; labeljust=l; margin=7;", scope,
                    quoted(cluster_label(tape_, block_, scope)), block_.beside_time ? "t" : "b"));
    if (const auto found = clusters_.items.find(scope); found != clusters_.items.end())
      for (int i : found->second) out(fmt::format("i{};", i));
    for (ScopeId inner : clusters_.order)
      if (tape_.parent(inner) == scope) cluster(inner);
    if (!block_.beside_time) ways(scope);
    out("}");
  }

  void links() {
    for (const Link& link : block_.links) {
      // What belongs to no gate stands one above the other where it can: c, tanh(c), h.
      const ScopeId scope = block_.items[link.from].scope;
      const bool spine = scope == block_.items[link.to].scope && !clusters_.is_gate(scope);
      out(fmt::format("i{} -> i{} [weight={}];", link.from, link.to, block_.on_motorway(link) ? 1 : spine ? 8 : 4));
    }
  }

  // In the order of their readers: gates then stand from left to right as they were recorded.
  void taps() {
    std::vector<std::pair<int, std::size_t>> order;
    for (std::size_t r = 0; r < block_.rails.size(); ++r)
      for (int reader : block_.rails[r].readers) order.emplace_back(reader, r);
    std::sort(order.begin(), order.end());
    std::string row;
    for (const auto& [reader, r] : order) {
      point(tap(r, reader));
      out(fmt::format("{} -> i{} [weight=4];", tap(r, reader), reader));
      row += (row.empty() ? "" : ordered_ ? " -> " : "; ") + tap(r, reader);
    }
    if (!row.empty()) out(fmt::format("{{ rank=min; {}{}; }}", row, ordered_ ? " [style=invis]" : ""));
  }

  // Motorways and ways out, of the states in one scope: `dot` accepts them only inside of the cluster where the items are.
  void ways(ScopeId scope) {
    for (std::size_t m = 0; m < block_.motorways.size(); ++m) {
      const std::vector<int>& way = block_.motorways[m].way;
      if (cluster_of(way.back()) != scope) continue;
      std::string line;
      for (int i : way) line += fmt::format("i{}; ", i);
      point(fmt::format("in{}", m));
      point(fmt::format("out{}", way.back()));
      out(fmt::format("{{ rank=same; in{}; {}out{}; }}", m, line, way.back()));
      out(fmt::format("in{} -> i{}; i{} -> out{};", m, way.front(), way.back(), way.back()));
    }
    for (int i = 0; i < static_cast<int>(block_.items.size()); ++i) {
      if (block_.items[i].look != Look::state || block_.on_motorway(i) || cluster_of(i) != scope) continue;
      point(fmt::format("out{}", i));
      out(fmt::format("{{ rank=same; i{0}; out{0}; }} i{0} -> out{0};", i));
    }
  }

  // The scope of the cluster in which an item stands; the common scope where there is none.
  ScopeId cluster_of(int item) const {
    const ScopeId scope = block_.items[item].scope;
    return clusters_.depth.contains(scope) ? scope : block_.common_scope;
  }

  const Tape& tape_;
  const Block& block_;
  const Clusters clusters_;
  bool ordered_ = true;
  std::string text_;
};

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
      const Point start = layout.rails[r].back().front();
      first_tap = std::min(first_tap, start.x);
      if (!block.beside_time) y = std::min(y, start.y);
    }
  for (const Rail& rail : block.rails)
    if (rail.item != nowhere) widest = std::max(widest, layout.items[rail.item].width());
  for (std::size_t r = 0; r < block.rails.size(); ++r) {
    if (block.rails[r].item == nowhere) continue;
    Rectangle& item = layout.items[block.rails[r].item];
    y -= rail_distance + item.height() / 2;
    item = around({first_tap - rail_indent - widest / 2, y}, item.width(), item.height());
    y = item.bottom;
    layout.box = united(layout.box, item);
    for (Curve& line : layout.rails[r]) line = along_rail(item, line);
  }
}

Layout lay_out(const Tape& tape, const Block& block, const std::vector<Rectangle>& sizes, bool ordered) {
  const LaidOutGraph engine(EngineText(tape, block).write(ordered), "dot");
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
  const Clusters clusters = find_clusters(tape, block);
  for (ScopeId scope : clusters.order) {
    const auto [box, label] = engine.cluster(fmt::format("cluster_{}", scope));
    layout.clusters.push_back({scope, clusters.depth.at(scope), box, label});
  }

  // The box is around everything but the items on rails, which have no place yet.
  std::optional<Rectangle> box;
  const auto include = [&](const Rectangle& r) { box = box ? united(*box, r) : r; };
  for (std::size_t i = 0; i < block.items.size(); ++i)
    if (!on_rail[i]) include(layout.items[i]);
  for (const Cluster& cluster : layout.clusters) include(cluster.box);
  layout.box = box.value_or(Rectangle{});

  for (std::size_t r = 0; r < block.rails.size(); ++r)
    if (block.rails[r].item != nowhere) layout.items[block.rails[r].item] = sizes[r];
  add_rails(block, engine, layout);
  return layout;
}

// How far lines run: what is easy to follow has short lines.
double length(const Layout& layout) {
  double result = 0;
  const auto add = [&](const Curve& curve) {
    for (std::size_t i = 3; i < curve.size(); i += 3)
      result += std::hypot(curve[i].x - curve[i - 3].x, curve[i].y - curve[i - 3].y);
  };
  for (const Curve& curve : layout.links) add(curve);
  for (const auto& rail : layout.rails)
    for (const Curve& curve : rail) add(curve);
  return result;
}

}  // namespace

std::string cluster_label(const Tape& tape, const Block& block, ScopeId scope) {
  std::string label(tape.last_part(scope)), result;
  if (!find_clusters(tape, block).is_gate(scope)) return label;
  for (const Item& item : block.items)
    if (item.scope == scope && !is_leaf(item) && !tape.name(item.node).empty()) result = tape.name(item.node);
  return result.empty() || label == result ? label : label + " " + result;
}

// All that decides where things go is in the engine's text.
std::string signature(const Tape& tape, const Block& block) {
  std::string result = EngineText(tape, block).write(true);
  for (const Rail& rail : block.rails)
    result += fmt::format("{} {}\n", rail.item, rail.item == nowhere ? "" : html_label(block.items[rail.item].widest));
  return result;
}

std::vector<Rectangle> sizes_of(const std::vector<Item>& items) {
  if (items.empty()) return {};
  std::string text = "digraph { " + std::string(node_format) + "\n";
  for (std::size_t i = 0; i < items.size(); ++i) text += fmt::format("i{} [label={}];\n", i, html_label(items[i].widest));
  const LaidOutGraph engine(text + "}\n", "dot");
  std::vector<Rectangle> result;
  for (std::size_t i = 0; i < items.size(); ++i) result.push_back(engine.node(fmt::format("i{}", i)));
  return result;
}

Layout lay_out(const Tape& tape, const Block& block) {
  // Items on rails are not the engine's business, but for their sizes.
  std::vector<Item> on_rails;
  for (const Rail& rail : block.rails) on_rails.push_back(rail.item == nowhere ? Item{} : block.items[rail.item]);
  const std::vector<Rectangle> sizes = sizes_of(on_rails);
  // The order of recording is mostly the order of the textbook, but the engine gives way to it at any price: not where it makes detours.
  Layout ordered = lay_out(tape, block, sizes, true);
  Layout free = lay_out(tape, block, sizes, false);
  return length(ordered) < 1.05 * length(free) ? ordered : free;
}

}  // namespace unroll::render
