#include <unroll/core/render/units.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace unroll::drawing {

namespace {

class Finder {
 public:
  Finder(const Tape& tape, const Program& program, const Rows& rows, const std::vector<bool>& states,
         const Folding& folding)
      : tape_(tape), program_(program), rows_(rows), states_(states), folding_(folding) {}

  Units find() {
    choose_moments();
    result_.of.assign(tape_.size(), no_unit);
    const std::vector<NodeId> last = last_of_box();
    std::map<std::pair<int, int>, int> layers;  // the unit of a row at a moment
    std::vector<int> box(tape_.size(), no_unit);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const auto kind = program_.kind(id);
      if (kind == Program::Kind::hidden || kind == Program::Kind::cut) continue;
      const bool leaf = kind != Program::Kind::computed || program_.is_part_of_input(id);
      const int moment = leaf ? moment_of_leaf(id) : result_.moment_of(program_.drawn_step(id));
      if (kind != Program::Kind::parameter && leaf && is_left_out(id, moment)) continue;
      const int row = leaf ? no_row : rows_.of[id];
      // A box has the key of its last node, or of its layer.
      const bool layer = row != no_row && stands_as_layer(moment);
      int& unit = layer ? layers.try_emplace({moment, row}, no_unit).first->second : box[last[id]];
      if (unit == no_unit) {
        unit = static_cast<int>(result_.units.size());
        result_.units.push_back({id, {}, moment, row, leaf});
      }
      result_.of[id] = unit;
      result_.units[unit].node = id;
      result_.units[unit].members.push_back(id);
    }
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (program_.kind(id) == Program::Kind::cut) result_.of[id] = result_.of[program_.shown(id)];
    return std::move(result_);
  }

 private:
  // ---- columns

  void choose_moments() {
    std::set<std::int32_t> steps;
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (rows_.of[id] != no_row) steps.insert(program_.drawn_step(id));
    const std::vector<std::int32_t> all(steps.begin(), steps.end());
    if (!folding_.moments.empty()) {
      result_.moments = folding_.moments;
      return;
    }
    if (folding_.level == Level::folded) return fold(all);
    const auto n = static_cast<std::int64_t>(all.size()), k = std::min(folding_.collapse, n);
    // One step that is left out would take as much room as a drawn one.
    const bool whole = k <= 0 || n <= 2 * k + 1;
    for (std::int64_t i = 0; i < n; ++i) {
      const bool gap = !whole && i >= k && i < n - k;
      if (gap && i > k)
        result_.moments.back().last = all[i];
      else
        result_.moments.push_back({all[i], all[i], gap, false});
    }
  }

  // Neighbouring steps in which the same layers work are one moment.
  void fold(const std::vector<std::int32_t>& steps) {
    std::map<std::int32_t, std::set<int>> layers;
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (rows_.of[id] != no_row) layers[program_.drawn_step(id)].insert(rows_.of[id]);
    for (std::int32_t step : steps) {
      if (!result_.moments.empty() && layers[result_.moments.back().last] == layers[step])
        result_.moments.back().last = step;
      else
        result_.moments.push_back({step, step, false, true});
    }
  }

  bool stands_as_layer(int moment) const {
    return folding_.level >= Level::cells || (moment != no_moment && result_.moments[moment].gap);
  }
  // Where it is read first.
  int moment_of_leaf(NodeId id) const {
    for (NodeId reader : program_.readers(id))
      if (const int moment = result_.moment_of(program_.drawn_step(reader)); moment != no_moment) return moment;
    return no_moment;
  }

  // The inputs of steps that are left out; of folded steps the first has its inputs drawn, for all.
  bool is_left_out(NodeId leaf, int moment) const {
    if (moment == no_moment) return false;
    const Moment& m = result_.moments[moment];
    if (m.gap) return true;
    const auto& readers = program_.readers(leaf);
    return m.folded && std::none_of(readers.begin(), readers.end(),
                                    [&](NodeId reader) { return program_.drawn_step(reader) == m.first; });
  }

  // ---- boxes

  // For every node the last one of its box: a nameless operation with one reader stands with it.
  std::vector<NodeId> last_of_box() const {
    // A long sum of losses outside of time would be a picture of its own: there, boxes hold what leads to a name at every level.
    constexpr std::size_t many = 100;
    std::size_t outside = 0;
    for (NodeId id = 0; id < tape_.size(); ++id)
      outside +=
          program_.kind(id) == Program::Kind::computed && rows_.of[id] == no_row && !program_.is_part_of_input(id);
    const bool merged_outside = outside > many && !result_.moments.empty();
    std::vector<NodeId> last(tape_.size());
    for (NodeId id = static_cast<NodeId>(tape_.size()); id-- > 0;) {
      last[id] = id;
      const bool one_by_one = folding_.level == Level::ops && !(merged_outside && rows_.of[id] == no_row);
      if (one_by_one || program_.kind(id) != Program::Kind::computed || program_.is_part_of_input(id) || states_[id] ||
          !program_.name(id).empty())
        continue;
      const auto& readers = program_.readers(id);
      if (readers.size() == 1 && rows_.of[readers[0]] == rows_.of[id] &&
          program_.kind(readers[0]) == Program::Kind::computed &&
          program_.drawn_step(readers[0]) == program_.drawn_step(id))
        last[id] = last[readers[0]];
    }
    return last;
  }

  const Tape& tape_;
  const Program& program_;
  const Rows& rows_;
  const std::vector<bool>& states_;
  const Folding folding_;
  Units result_;
};

}  // namespace

int Units::moment_of(std::int32_t step) const {
  if (step == no_step) return no_moment;
  const auto after = std::upper_bound(moments.begin(), moments.end(), step,
                                      [](std::int32_t s, const Moment& m) { return s < m.first; });
  if (after == moments.begin() || std::prev(after)->last < step) return no_moment;
  return static_cast<int>(after - moments.begin()) - 1;
}

Units find_units(const Tape& tape, const Program& program, const Rows& rows, const std::vector<bool>& states,
                 const Folding& folding) {
  return Finder(tape, program, rows, states, folding).find();
}

}  // namespace unroll::drawing
