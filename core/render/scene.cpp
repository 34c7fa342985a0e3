#include <unroll/core/render/scene.hpp>

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/program.hpp>
#include <unroll/core/render/words.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

template <class T> bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// What is the same in every step: the name, or what is computed, and the scope.
using Identity = std::pair<std::string, ScopeId>;

class Reader {
 public:
  Reader(const Tape& tape, Phase phase, const RenderOptions& options, const Folding& folding)
      : tape_(tape),
        phase_(phase),
        level_(folding.level),
        program_(tape, phase, options.parameters),
        states_(find_states()),
        rows_(find_rows(tape, program_, states_)),
        units_(find_units(tape, program_, rows_, states_, folding)),
        words_(tape, program_, options, rows_, units_) {}

  Scene read() {
    scene_.rows = rows_.rows;
    if (phase_ == Phase::backward)
      for (Row& row : scene_.rows) row.reverse = !row.reverse;
    scene_.moments = units_.moments;
    scene_.spots.resize(tape_.size());
    choose_places();
    make_blocks();
    for (std::size_t u = 0; u < units_.units.size(); ++u) add_item(static_cast<int>(u));
    find_spots();
    for (std::size_t b = 0; b < scene_.blocks.size(); ++b) {
      Block& block = scene_.blocks[b];
      block.common_scope = block.row == no_row ? around(block) : scene_.rows[block.row].scope;
      if (!block.initial) connect(block, static_cast<int>(b));
    }
    return std::move(scene_);
  }

 private:
  // ---- states: what a step reads of another step, and what has the same name and scope at other steps (so the last step, whose states nobody
  // reads, is drawn like the others)

  bool is_computed(NodeId id) const {
    return program_.kind(id) == Program::Kind::computed || program_.kind(id) == Program::Kind::cut;
  }

  std::vector<bool> find_states() {
    std::vector<bool> result(tape_.size());
    std::set<Identity> identities;
    std::set<std::string> initial;  // names of states before the first step
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (program_.kind(id) == Program::Kind::computed && phase_ == Phase::forward && tape_[id].name != 0)
        named_.insert(place_and_name(id, tape_[id].place.step));
      const std::int32_t step = program_.drawn_step(program_.shown(id));
      if (!is_computed(id) || step == no_step || program_.is_part_of_input(id)) continue;
      for (NodeId reader : program_.readers(id))
        if (program_.drawn_step(reader) != step && program_.drawn_step(reader) != no_step) {
          identities.insert(identity(id));
          if (step == 0 && !program_.name(id).empty()) initial.insert(program_.name(id));
          break;
        }
    }
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (program_.kind(id) == Program::Kind::leaf && is_initial(id) && !program_.name(id).empty())
        initial.insert(program_.name(id));
    if (identities.empty() && initial.empty()) return result;
    for (NodeId id = 0; id < tape_.size(); ++id)
      result[id] =
          is_computed(id) && program_.drawn_step(id) != no_step && !program_.is_part_of_input(id) &&
          (identities.contains(identity(id)) || (program_.drawn_step(id) != 0 && initial.contains(program_.name(id))));
    return result;
  }

  Identity identity(NodeId id) const {
    std::string name = program_.name(id);
    const NodeId shown = program_.shown(id);
    return {name.empty() ? program_.expression(shown) : name, tape_[shown].place.scope};
  }

  static std::uint64_t place_and_name(std::int32_t step, NameId name) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(step)) << 32 | name;
  }
  std::uint64_t place_and_name(NodeId id, std::int32_t step) const { return place_and_name(step, tape_[id].name); }

  // A leaf that stands for a state before the first step: recorded at step 0, or with the name of what the step that reads it computes.
  bool is_initial(NodeId leaf) const {
    if (phase_ != Phase::forward || program_.readers(leaf).empty()) return false;
    if (tape_[leaf].place.step == 0) return true;
    if (tape_[leaf].place.step != no_step || tape_[leaf].name == 0) return false;
    for (NodeId reader : program_.readers(leaf))
      if (tape_[reader].place.step != no_step) return named_.contains(place_and_name(leaf, tape_[reader].place.step));
    return false;
  }

  // ---- where they stand

  struct Place {
    int column = nowhere;  // among all that may be there: before, initial, the moments, initial, after
    int row = no_row;
    friend bool operator<(const Place& a, const Place& b) {
      return std::pair(a.column, a.row) < std::pair(b.column, b.row);
    }
  };

  // Columns before some are left out.
  int moments() const { return static_cast<int>(units_.moments.size()); }
  int before() const { return 0; }
  int initial_left() const { return 1; }
  int column_of(int moment) const { return 2 + (phase_ == Phase::backward ? moments() - 1 - moment : moment); }
  int initial_right() const { return 2 + moments(); }
  int after() const { return 3 + moments(); }

  void choose_places() {
    const auto n = static_cast<NodeId>(tape_.size());
    std::vector<bool> after_time(n), before_time(n);
    for (NodeId id = 0; id < n; ++id) {
      after_time[id] = rows_.of[id] != no_row;
      for (NodeId operand : program_.operands(id))
        if (after_time[operand]) after_time[id] = true;
    }
    for (NodeId id = n; id-- > 0;)
      for (NodeId reader : program_.readers(id))
        if (rows_.of[reader] != no_row || before_time[reader]) before_time[id] = true;

    places_.resize(units_.units.size());
    for (std::size_t u = 0; u < places_.size(); ++u) {
      const Unit& unit = units_.units[u];
      if (unit.is_leaf) continue;
      if (unit.row != no_row && unit.moment != no_moment)
        places_[u] = {column_of(unit.moment), unit.row};
      else
        places_[u] = {moments() > 0 && before_time[unit.node] && !after_time[unit.node] ? before() : after(), no_row};
    }
    for (std::size_t u = 0; u < places_.size(); ++u)
      if (units_.units[u].is_leaf) places_[u] = place_of_leaf(units_.units[u]);
  }

  // A leaf belongs to its first reader; in the blocks of the others it is repeated.
  Place place_of_leaf(const Unit& unit) const {
    if (program_.kind(unit.node) == Program::Kind::parameter && moments() > 0) return {before(), no_row};
    std::set<Place> readers;
    for (NodeId reader : program_.readers(unit.node))
      if (const int u = units_.of[reader]; u != no_unit && !units_.units[u].is_leaf) readers.insert(places_[u]);
    if (readers.empty()) return {};
    const Place first = *readers.begin();
    if (is_initial(unit.node) && first.row != no_row && tape_[unit.node].place.step <= 0)
      return {scene_.rows[first.row].reverse ? initial_right() : initial_left(), first.row};
    return first;
  }

  void make_blocks() {
    std::map<Place, int> order;
    for (const Place& place : places_)
      if (place.column != nowhere) order[place] = 0;
    int last = nowhere;
    for (auto& [place, index] : order) {
      if (place.column != last) {
        Column column;
        using enum Column::Kind;
        column.kind = place.column == before()                                            ? before_time
                      : place.column == initial_left() || place.column == initial_right() ? initial
                      : place.column == after()                                           ? after_time
                                                                                          : moment;
        if (column.kind == moment)
          column.moment = phase_ == Phase::backward ? moments() - 1 - (place.column - 2) : place.column - 2;
        scene_.columns.push_back(column);
        last = place.column;
      }
      index = static_cast<int>(scene_.blocks.size());
      Block& block = scene_.blocks.emplace_back();
      block.column = static_cast<int>(scene_.columns.size()) - 1;
      block.row = place.row;
      const Column& column = scene_.columns.back();
      block.initial = column.kind == Column::Kind::initial;
      if (column.kind != Column::Kind::moment) continue;
      const Moment& moment = units_.moments[column.moment];
      block.gap = moment.gap;
      block.ports_in_engine = level_ >= Level::cells;
      block.gate_frames = level_ == Level::ops;
      if (moment.is_single()) block.step = moment.first;
    }
    block_of_.resize(places_.size(), nowhere);
    for (std::size_t u = 0; u < places_.size(); ++u)
      if (places_[u].column != nowhere) block_of_[u] = order[places_[u]];
  }

  // ---- boxes

  Look look_of(const Unit& unit) const {
    if (program_.kind(unit.node) == Program::Kind::parameter) return Look::parameter;
    if (unit.is_leaf) return Look::input;
    if (unit.row != no_row && stands_as_layer(unit)) return units_.moments[unit.moment].gap ? Look::gap : Look::cell;
    if (states_[unit.node]) return Look::state;
    if (unit.row != no_row && unit.members.size() > 1) return Look::gate;
    return program_.name(unit.node).empty() ? Look::operation : Look::result;
  }
  bool stands_as_layer(const Unit& unit) const { return level_ >= Level::cells || units_.moments[unit.moment].gap; }

  void add_item(int u) {
    const Unit& unit = units_.units[u];
    if (block_of_[u] == nowhere) return;
    Block& block = scene_.blocks[block_of_[u]];
    Item item;
    item.node = unit.node;
    item.id = fmt::format("n{}", unit.node);
    if (unit.members.size() > 1) item.members = unit.members;
    item.look = look_of(unit);
    item.scope = tape_[unit.node].place.scope;
    item.tooltip = words_.tooltip(unit);
    if (item.look == Look::gap || item.look == Look::cell) {
      fill_cell(item, unit, block);
    } else {
      item.text = words_.text(unit, block.initial ? Look::input : item.look, false);
      item.widest = words_.text(unit, block.initial ? Look::input : item.look, true);
      if (block.initial) item.look = Look::port;
    }
    item_of_.resize(units_.units.size(), nowhere);
    item_of_[u] = static_cast<int>(block.items.size());
    block.items.push_back(std::move(item));
  }

  void fill_cell(Item& item, const Unit& unit, const Block& block) {
    const Moment& moment = units_.moments[unit.moment];
    const ScopeId scope = scene_.rows[block.row].scope;
    item.scope = scope;
    // The states of its last step.
    std::vector<NodeId> states;
    std::set<Identity> seen;
    for (std::size_t k = unit.members.size(); k-- > 0;)
      if (const NodeId id = unit.members[k]; states_[id] && seen.insert(identity(id)).second)
        states.insert(states.begin(), id);
    item.exits = states;
    const std::string layer(tape_.last_part(scope));
    if (!states.empty()) item.node = states.back();
    if (moment.gap) {
      std::set<std::int32_t> steps;
      for (NodeId id : unit.members) steps.insert(program_.drawn_step(id));
      item.text = item.widest = words_.gap(moment, static_cast<std::int64_t>(steps.size()));
      item.tooltip = fmt::format("{} for t = {} … {}", layer, moment.first, moment.last);
    } else {
      item.text = words_.cell(layer, unit, states, false);
      item.widest = words_.cell(layer, unit, states, true);
    }
  }

  void find_spots() {
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const int u = units_.of[id];
      if (u == no_unit || block_of_[u] == nowhere) continue;
      scene_.spots[id] = {block_of_[u], item_of_[u]};
      if (program_.kind(id) == Program::Kind::cut) scene_.cuts.insert(id);
    }
  }

  ScopeId around(const Block& block) const {
    std::optional<ScopeId> common;
    for (const Item& item : block.items)
      if (!item.is_leaf()) common = common ? common_scope(tape_, *common, item.scope) : item.scope;
    return common.value_or(0);
  }

  // ---- what is connected, and how

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
          } else if (from != no_unit && block_of_[from] == index) {
            if (linked.insert({item_of_[from], i}).second) link(block, rail_of, item_of_[from], i);
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

  // Inputs are repeated, not led from step to step.
  bool has_line(NodeId source) const {
    const int unit = units_.of[source];
    const bool input = unit != no_unit && units_.units[unit].is_leaf &&
                       program_.kind(source) != Program::Kind::parameter && !is_initial(source);
    return scene_.has_spot(source) && !input;
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
      return !one_by_one && !seen.insert({units_.of[id], identity(id)}).second;
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
      const auto renews = [&](NodeId id) { return identity(id).first == identity(source).first; };
      const bool any =
          item.look == Look::state ? renews(item.node) : std::any_of(item.exits.begin(), item.exits.end(), renews);
      if (any && (result == nowhere || item.scope == tape_[source].place.scope)) result = i;
    }
    return result;
  }

  int lane_of(const Item& item, NodeId source) const {
    for (std::size_t k = 0; k < item.exits.size(); ++k)
      if (identity(item.exits[k]).first == identity(source).first) return static_cast<int>(k);
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
      if (line && !port.sources.empty() && identity(port.sources[0]) == identity(source) && port.readers == reading) {
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
  const Phase phase_;
  const Level level_;
  const Program program_;
  std::unordered_set<std::uint64_t> named_;  // what computed nodes are called, by step
  const std::vector<bool> states_;
  const Rows rows_;
  const Units units_;
  const Words words_;
  std::vector<Place> places_;  // by unit
  std::vector<int> block_of_, item_of_;
  Scene scene_;
};

}  // namespace

bool Item::is_leaf() const { return look == Look::input || look == Look::port || look == Look::parameter; }

bool Block::on_motorway(int item) const {
  return std::any_of(motorways.begin(), motorways.end(), [&](const Motorway& m) { return contains(m.way, item); });
}

bool Block::on_motorway(const Link& link) const {
  for (const Motorway& m : motorways)
    for (std::size_t k = 1; k < m.way.size(); ++k)
      if (m.way[k - 1] == link.from && m.way[k] == link.to) return true;
  return false;
}

std::string block_name(const Scene& scene, const Block& block) {
  std::string name = block.step == no_step ? fmt::format("b{}", block.column)
                     : block.step < 0      ? fmt::format("tm{}", -block.step)
                                           : fmt::format("t{}", block.step);
  return scene.rows.size() > 1 && block.row != no_row ? fmt::format("{}_r{}", name, block.row) : name;
}

std::string Scene::heading(const Column& column) const {
  const Moment& m = moments[column.moment];
  return m.first == m.last ? fmt::format("t = {}", m.first) : fmt::format("t = {} … {}", m.first, m.last);
}

Scene read_scene(const Tape& tape, Phase phase, const RenderOptions& options, const Folding& folding) {
  return Reader(tape, phase, options, folding).read();
}

}  // namespace unroll::drawing
