#include <unroll/core/render/engine_text.hpp>

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/style.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::drawing {

namespace {

class Writer {
 public:
  Writer(const Tape& tape, const Block& block, Wishes wishes)
      : tape_(tape), block_(block), wishes_(wishes), clusters_(find_clusters(tape, block)) {}

  std::string write() {
    out(fmt::format("digraph {{ rankdir={}; nodesep=0.16; ranksep=0.26; fontsize=9; {};",
                    !block_.in_time() ? "LR" : "BT", font));
    // The engine looks for the best places without an end in sight where many lines cross.
    if (block_.items.size() > large_block) out("nslimit=5; mclimit=0.5;");
    out(std::string(node_format));
    items();
    for (ScopeId scope : clusters_.order)
      if (clusters_.is_gate(scope)) gate(scope);
    links();
    if (block_.in_time()) ways(outside_of_gates);
    taps();
    risers();
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
      if (!on_rail[i]) out(fmt::format("i{} [label={}{}];", i, html_label(block_.items[i].widest), size_of_cell(i)));
  }

  // A layer in one box is wide, and high enough for the lines of its states one above the other.
  std::string size_of_cell(std::size_t i) const {
    const Item& item = block_.items[i];
    if (item.look != Look::cell) return {};
    return fmt::format(", width=1, height={:.2f}", std::max(0.6, 0.25 * static_cast<double>(item.exits.size() + 1)));
  }

  void gate(ScopeId scope) {
    // The engine turns the picture upside down, labels included.
    out(fmt::format("subgraph cluster_{} {{ label={}; labelloc={}; labeljust=l; margin=7;", scope,
                    quoted(cluster_label(tape_, block_, scope)), !block_.in_time() ? "t" : "b"));
    for (int i : clusters_.items.at(scope)) out(fmt::format("i{};", i));
    if (block_.in_time()) ways(scope);
    out("}");
  }

  void links() {
    for (std::size_t k = 0; k < block_.links.size(); ++k) {
      const Link& link = block_.links[k];
      // What belongs to no gate stands one above the other where it can: c, tanh(c), h.
      const ScopeId scope = block_.items[link.from].scope;
      const bool spine = scope == block_.items[link.to].scope && !clusters_.is_gate(scope);
      // Between layers there is room for their frames.
      const bool between_layers = layer(link.from) != layer(link.to);
      const auto length =
          (between_layers ? 2 : 1) + std::count(wishes_.longer.begin(), wishes_.longer.end(), static_cast<int>(k));
      out(fmt::format("i{} -> i{} [weight={}{}];", link.from, link.to,
                      block_.on_motorway(link) ? 1
                      : spine                  ? 8
                                               : 4,
                      length > 1 ? fmt::format(", minlen={}", length) : ""));
    }
  }

  // The outermost scope below the common one.
  ScopeId layer(int item) const {
    ScopeId scope = block_.items[item].scope;
    while (clusters_.depth.contains(scope) && clusters_.depth.at(scope) > 1) scope = tape_.parent(scope);
    return clusters_.outer.empty() ? 0 : scope;
  }

  void taps() {
    std::vector<std::pair<int, std::size_t>> order;
    for (std::size_t r = 0; r < block_.rails.size(); ++r)
      for (int reader : block_.rails[r].readers) order.emplace_back(reader, r);
    if (order.empty()) return;
    std::sort(order.begin(), order.end());
    std::vector<std::string> row;
    for (const auto& [reader, r] : order) {
      point(tap(r, reader));
      out(fmt::format("{} -> i{} [weight=4];", tap(r, reader), reader));
      row.push_back(tap(r, reader));
    }
    const bool posts = wishes_.posts && block_.in_time();
    if (posts) {
      point("west");
      point("east");
      out(posts_);
      row.insert(row.begin(), "west");
      row.emplace_back("east");
    }
    out(fmt::format("{{ rank=min; edge [style=invis]; {}; }}", fmt::join(row, "; ")));
    if (wishes_.ordered)
      out(fmt::format("{} [style=invis];", fmt::join(row, " -> ")));
    else if (posts)
      for (std::size_t k = 1; k + 1 < row.size(); ++k) out(fmt::format("west -> {0} -> east [style=invis];", row[k]));
  }

  // What the layer above reads has a free way up.
  void risers() {
    for (std::size_t i = 0; i < block_.items.size(); ++i) {
      if (!block_.items[i].rises) continue;
      point(riser(static_cast<int>(i)));
      out(fmt::format("i{} -> {} [weight=6, minlen={}];", i, riser(static_cast<int>(i)), wishes_.rise));
    }
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
      posts_ += fmt::format("west -> in{}; east -> out{};\n", m, way.back());
    }
    for (int i = 0; i < static_cast<int>(block_.items.size()); ++i) {
      if (block_.items[i].look != Look::state || block_.on_motorway(i) || cluster_of(i) != scope) continue;
      point(fmt::format("out{}", i));
      out(fmt::format("{{ rank=same; i{0}; out{0}; }} i{0} -> out{0};", i));
      posts_ += fmt::format("east -> out{};\n", i);
    }
  }

  static constexpr ScopeId outside_of_gates = 0;
  ScopeId cluster_of(int item) const {
    const ScopeId scope = block_.items[item].scope;
    return clusters_.is_gate(scope) ? scope : outside_of_gates;
  }

  const Tape& tape_;
  const Block& block_;
  const Wishes wishes_;
  const Clusters clusters_;
  std::string text_, posts_;
};

}  // namespace

Clusters find_clusters(const Tape& tape, const Block& block) {
  Clusters result;
  if (!block.gate_frames) return result;
  for (int i = 0; i < static_cast<int>(block.items.size()); ++i) {
    const Item& item = block.items[i];
    if (item.is_leaf()) continue;
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

std::string riser(int item) { return fmt::format("up{}", item); }

std::string engine_text(const Tape& tape, const Block& block, Wishes wishes) {
  return Writer(tape, block, wishes).write();
}

std::string cluster_label(const Tape& tape, const Block& block, ScopeId scope) {
  std::string label(tape.last_part(scope)), result;
  if (!find_clusters(tape, block).is_gate(scope)) return label;
  for (const Item& item : block.items)
    if (item.scope == scope && !item.is_leaf() && !tape.name(item.node).empty()) result = tape.name(item.node);
  return result.empty() || label == result ? label : label + " " + result;
}

}  // namespace unroll::drawing
