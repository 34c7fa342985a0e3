#include <unroll/core/render/scene.hpp>

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/program.hpp>
#include <unroll/core/render/states.hpp>
#include <unroll/core/render/wiring.hpp>
#include <unroll/core/render/words.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

template <class T> bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

class Reader {
 public:
  Reader(const Tape& tape, Phase phase, const RenderOptions& options, const Folding& folding)
      : tape_(tape),
        phase_(phase),
        level_(folding.level),
        program_(tape, phase, options.parameters),
        states_(tape, program_, phase),
        rows_(find_rows(tape, program_, states_.all())),
        units_(find_units(tape, program_, rows_, states_.all(), folding)),
        words_(tape, program_, options, rows_, units_) {}

  Scene read() {
    scene_.rows = rows_.rows;
    if (phase_ == Phase::backward)
      for (Row& row : scene_.rows) row.reverse = !row.reverse;
    scene_.backward = phase_ == Phase::backward;
    scene_.moments = units_.moments;
    scene_.spots.resize(tape_.size());
    choose_places();
    make_blocks();
    for (std::size_t u = 0; u < units_.units.size(); ++u) add_item(static_cast<int>(u));
    find_spots();
    for (std::size_t b = 0; b < scene_.blocks.size(); ++b) {
      Block& block = scene_.blocks[b];
      block.common_scope = block.row == no_row ? around(block) : scene_.rows[block.row].scope;
    }
    connect(tape_, program_, units_, words_, boxes_, scene_);
    return std::move(scene_);
  }

 private:
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
    if (states_.is_initial(unit.node) && first.row != no_row && tape_[unit.node].place.step <= 0)
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
    boxes_.block.resize(places_.size(), nowhere);
    for (std::size_t u = 0; u < places_.size(); ++u)
      if (places_[u].column != nowhere) boxes_.block[u] = order[places_[u]];
  }

  // ---- boxes

  Look look_of(const Unit& unit) const {
    if (program_.kind(unit.node) == Program::Kind::parameter) return Look::parameter;
    if (unit.is_leaf) return Look::input;
    if (unit.row != no_row && unit.moment != no_moment && stands_as_layer(unit))
      return units_.moments[unit.moment].gap ? Look::gap : Look::cell;
    if (states_[unit.node]) return Look::state;
    if (unit.row != no_row && unit.members.size() > 1) return Look::gate;
    return program_.name(unit.node).empty() ? Look::operation : Look::result;
  }
  bool stands_as_layer(const Unit& unit) const { return level_ >= Level::cells || units_.moments[unit.moment].gap; }

  void add_item(int u) {
    const Unit& unit = units_.units[u];
    if (boxes_.block[u] == nowhere) return;
    Block& block = scene_.blocks[boxes_.block[u]];
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
    boxes_.item.resize(units_.units.size(), nowhere);
    boxes_.item[u] = static_cast<int>(block.items.size());
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
      if (const NodeId id = unit.members[k]; states_[id] && seen.insert(identity(tape_, program_, id)).second)
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
      if (u == no_unit || boxes_.block[u] == nowhere) continue;
      scene_.spots[id] = {boxes_.block[u], boxes_.item[u]};
      if (program_.kind(id) == Program::Kind::cut) scene_.cuts.insert(id);
    }
  }

  ScopeId around(const Block& block) const {
    std::optional<ScopeId> common;
    for (const Item& item : block.items)
      if (!item.is_leaf()) common = common ? common_scope(tape_, *common, item.scope) : item.scope;
    return common.value_or(0);
  }

  const Tape& tape_;
  const Phase phase_;
  const Level level_;
  const Program program_;
  const States states_;
  const Rows rows_;
  const Units units_;
  const Words words_;
  std::vector<Place> places_;  // by unit
  Boxes boxes_;
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
