#include <unroll/core/render/wiring.hpp>

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/states.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

template <class T> bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

class Wiring {
 public:
  Wiring(const Tape& tape, const Program& program, const Units& units, const Words& words, const Boxes& boxes,
         Scene& scene)
      : tape_(tape), program_(program), units_(units), words_(words), boxes_(boxes), scene_(scene) {}

  void connect(Block& block, int index) {
    // What comes from outside, in the order of its first reader.
    std::vector<NodeId> outside;
    std::map<NodeId, std::vector<int>> readers;
    std::vector<int> rail_of(block.items.size(), nowhere);
    std::set<std::pair<int, int>> linked;
    const int own = static_cast<int>(block.items.size());
    for (int i = 0; i < own; ++i) {
      const int u = units_.of[block.items[i].node];
      const bool on_rail = block.items[i].look == Look::input && block.in_time() && !block.ports_in_engine;
      if (on_rail) {
        rail_of[i] = static_cast<int>(block.rails.size());
        block.rails.push_back({i, {}, {}, false});
      }
      for (NodeId member : units_.units[u].members)
        for (NodeId operand : program_.operands(member)) {
          const int from = units_.of[operand];
          if (from == u) {
            if (program_.drawn_step(program_.shown(operand)) != program_.drawn_step(member) && !block.gap)
              add_loop(block, i);
          } else if (from != no_unit && boxes_.block[from] == index) {
            if (linked.insert({boxes_.item[from], i}).second) link(block, rail_of, boxes_.item[from], i);
          } else if (on_rail) {
            block.rails.back().sources.push_back(operand);
          } else if (from != no_unit) {
            if (!readers.contains(operand)) outside.push_back(operand);
            if (!contains(readers[operand], i)) readers[operand].push_back(i);
          }
        }
    }
    drop_repeated(outside);
    std::vector<Rail> ports, from_below;
    for (NodeId source : outside) {
      std::vector<int>& reading = readers[source];
      if (comes_from_below(block, index, source)) {
        scene_.blocks[scene_.spots[source].block].items[scene_.spots[source].item].rises = true;
        add_from_below(from_below, source, reading);
        continue;
      }
      if (auto way = motorway(block, source, reading); !way.empty()) {
        std::erase(reading, way.front());
        const int lane = lane_of(block.items[way.back()], source);
        block.motorways.push_back({source, std::move(way), lane});
      }
      if (!reading.empty()) add_port(block, ports, source, reading);
    }
    // States that are renewed later on leave higher up: their rails are above, so that no two lines cross.
    const auto rank = [&](const Rail& rail) {
      return rail.sources.empty() ? nowhere : renewed_by(block, rail.sources[0]);
    };
    std::stable_sort(ports.begin(), ports.end(), [&](const Rail& a, const Rail& b) { return rank(a) > rank(b); });
    block.rails.insert(block.rails.begin(), ports.begin(), ports.end());
    block.rails.insert(block.rails.end(), from_below.begin(), from_below.end());
  }

 private:
  Identity identity_of(NodeId id) const { return identity(tape_, program_, id); }

  // Inputs are repeated, not led from step to step.
  bool has_line(NodeId source) const {
    if (!scene_.has_spot(source)) return false;
    const bool input = units_.units[units_.of[source]].is_leaf && program_.kind(source) != Program::Kind::parameter &&
                       !scene_.blocks[scene_.spots[source].block].initial;
    return !input;
  }

  static void add_loop(Block& block, int item) {
    if (std::none_of(block.loops.begin(), block.loops.end(), [&](const Link& l) { return l.from == item; }))
      block.loops.push_back({item, item});
  }

  static void link(Block& block, const std::vector<int>& rail_of, int from, int to) {
    if (const int rail = rail_of[from]; rail != nowhere)
      block.rails[rail].readers.push_back(to);
    else
      block.links.push_back({from, to});
  }

  // Steps that are drawn as one read the same state of many steps: one line is enough.
  void drop_repeated(std::vector<NodeId>& sources) const {
    std::set<std::pair<int, Identity>> seen;
    std::erase_if(sources, [&](NodeId id) {
      const Unit& unit = units_.units[units_.of[id]];
      const bool one_by_one = unit.moment == no_moment || units_.moments[unit.moment].is_single();
      return !one_by_one && !seen.insert({units_.of[id], identity_of(id)}).second;
    });
  }

  // From the next block below in the same column.
  bool comes_from_below(const Block& block, int index, NodeId source) const {
    if (!block.in_time() || !has_line(source) || scene_.spots[source].block != index - 1) return false;
    const Block& from = scene_.blocks[index - 1];
    return from.column == block.column && from.row != no_row;
  }

  void add_from_below(std::vector<Rail>& rails, NodeId source, const std::vector<int>& reading) const {
    for (Rail& rail : rails)
      if (scene_.spots[rail.sources[0]].item == scene_.spots[source].item) {
        for (int reader : reading)
          if (!contains(rail.readers, reader)) rail.readers.push_back(reader);
        return;
      }
    rails.push_back({nowhere, {source}, reading, true});
  }

  // The item of a block that renews a state: the one with its name. Scopes may differ for initial states.
  int renewed_by(const Block& block, NodeId source) const {
    if (scene_.cuts.contains(source)) source = program_.shown(source);
    int result = nowhere;
    for (int i = 0; i < static_cast<int>(block.items.size()); ++i) {
      const Item& item = block.items[i];
      const auto renews = [&](NodeId id) { return identity_of(id).first == identity_of(source).first; };
      const bool any =
          item.look == Look::state ? renews(item.node) : std::any_of(item.exits.begin(), item.exits.end(), renews);
      if (any && (result == nowhere || item.scope == tape_[source].place.scope)) result = i;
    }
    return result;
  }

  int lane_of(const Item& item, NodeId source) const {
    for (std::size_t k = 0; k < item.exits.size(); ++k)
      if (identity_of(item.exits[k]).first == identity_of(source).first) return static_cast<int>(k);
    return nowhere;
  }

  // A shortest way from a reader of the state to the item that renews it through sums and products at the place of the latter; empty if
  // there is none. (c * f + ..., or z * h + ...; a state that goes through a matmul or a tanh has no motorway, unless one box does it all.)
  std::vector<int> motorway(const Block& block, NodeId source, const std::vector<int>& reading) const {
    if (!block.in_time()) return {};
    if (block.gap) return {0};
    const int last = renewed_by(block, source);
    if (last == nowhere) return {};
    if (contains(reading, last)) return {last};
    std::vector<int> next(block.items.size(), nowhere), order{last};
    const auto is_lane = [&](int i) {
      const Item& item = block.items[i];
      const auto op = tape_[item.node].op->name;
      return item.members.empty() && item.scope == block.items[last].scope &&
             (op == "add" || op == "mul" || op == "sub");
    };
    if (!is_lane(last)) return {};
    for (std::size_t k = 0; k < order.size(); ++k) {
      const int to = order[k];
      if (contains(reading, to)) {
        std::vector<int> way;
        for (int i = to; i != nowhere; i = next[i]) way.push_back(i);
        return way;
      }
      for (const Link& link : block.links)
        if (link.to == to && is_lane(link.from) && !contains(order, link.from)) {
          next[link.from] = to;
          order.push_back(link.from);
        }
    }
    return {};
  }

  void add_port(Block& block, std::vector<Rail>& ports, NodeId source, const std::vector<int>& reading) {
    const bool line = has_line(source);
    // One node that reads the same state of many steps (a stack) has one port for all of them.
    for (Rail& port : ports)
      if (line && !port.sources.empty() && identity_of(port.sources[0]) == identity_of(source) &&
          port.readers == reading) {
        port.sources.push_back(source);
        if (port.item != nowhere) extend(block.items[port.item], source);
        return;
      }
    if (line && !block.in_time()) {
      ports.push_back({nowhere, {source}, reading, false});
      return;
    }
    const int at = static_cast<int>(block.items.size());
    Item port;
    port.node = source;
    port.repeated = !line;
    port.look = Look::port;
    port.id = fmt::format("n{}_{}", source, block_name(scene_, block));
    port.scope = tape_[program_.shown(source)].place.scope;
    port.text = words_.port(source, false);
    port.widest = words_.port(source, true);
    if (units_.of[source] != no_unit) port.tooltip = words_.tooltip(units_.units[units_.of[source]]);
    block.items.push_back(std::move(port));
    if (!block.in_time())
      for (int reader : reading) block.links.push_back({at, reader});
    else
      ports.push_back({at, line ? std::vector<NodeId>{source} : std::vector<NodeId>{}, reading, false});
  }

  // "h_1" becomes "h_1 … h_3".
  void extend(Item& port, NodeId source) const {
    std::string& title = port.text.title;
    title = fmt::format("{} … {}", title.substr(0, title.find(" … ")), program_.full_name(source));
    port.widest = port.text;
  }

  const Tape& tape_;
  const Program& program_;
  const Units& units_;
  const Words& words_;
  const Boxes& boxes_;
  Scene& scene_;
};

}  // namespace

void connect(const Tape& tape, const Program& program, const Units& units, const Words& words, const Boxes& boxes,
             Scene& scene) {
  Wiring wiring(tape, program, units, words, boxes, scene);
  for (std::size_t b = 0; b < scene.blocks.size(); ++b)
    if (!scene.blocks[b].initial) wiring.connect(scene.blocks[b], static_cast<int>(b));
}

}  // namespace unroll::drawing
