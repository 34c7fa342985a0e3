#include <unroll/core/render/rows.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace unroll::drawing {

namespace {

int depth(const Tape& tape, ScopeId scope) {
  int result = 0;
  for (; scope != 0; scope = tape.parent(scope)) ++result;
  return result;
}

// Sets that grow together.
class Sets {
 public:
  explicit Sets(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), NodeId{0}); }
  NodeId of(NodeId id) {
    while (parent_[id] != id) id = parent_[id] = parent_[parent_[id]];
    return id;
  }
  void unite(NodeId a, NodeId b) { parent_[of(a)] = of(b); }

 private:
  std::vector<NodeId> parent_;
};

class Finder {
 public:
  Finder(const Tape& tape, const Program& program, const std::vector<bool>& states)
      : tape_(tape), program_(program), states_(states), key_(tape.size(), 0), part_(tape.size(), 0) {}

  Rows find() {
    choose_layers();
    place_scopeless();
    std::set<std::pair<Key, Key>> reads;
    std::vector<Key> order = in_order(reads);
    if (!sort(order, reads)) {
      split_into_parts();
      order = in_order(reads);
      sort(order, reads);
    }
    return rows(order);
  }

 private:
  using Key = std::pair<ScopeId, int>;  // a layer, and which part of it where a layer is left and entered again
  Key key(NodeId id) const { return {key_[id], part_[id]}; }

  bool is_in_time(NodeId id) const {
    const auto kind = program_.kind(id);
    return (kind == Program::Kind::computed || kind == Program::Kind::cut) && program_.drawn_step(id) != no_step &&
           !program_.is_part_of_input(id);
  }

  bool in_same_step(NodeId a, NodeId b) const { return program_.drawn_step(a) == program_.drawn_step(b); }

  void choose_layers() {
    std::set<ScopeId> with_state, all;
    std::optional<ScopeId> common;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!is_in_time(id)) continue;
      const ScopeId scope = tape_[program_.shown(id)].place.scope;
      if (scope == 0) continue;
      if (states_[id]) with_state.insert(scope);
      if (!all.insert(scope).second) continue;
      common = common ? common_scope(tape_, *common, scope) : scope;
    }
    // One layer whose states nobody reads (a single step).
    if (with_state.empty() && common && all.contains(*common)) with_state.insert(*common);
    // What lies in a layer lies below the common scope; a scope around a layer with states is none itself for what is beside that layer.
    std::set<ScopeId> around;
    for (ScopeId scope : with_state)
      for (ScopeId s = tape_.parent(scope); s != 0; s = tape_.parent(s)) around.insert(s);
    std::map<ScopeId, ScopeId> layer;
    for (ScopeId scope : all) {
      ScopeId found = 0;
      for (ScopeId s = scope; s != 0 && found == 0; s = tape_.parent(s))
        if (with_state.contains(s)) found = s;
      if (found == 0) {
        std::vector<ScopeId> chain;
        for (ScopeId s = scope; s != 0; s = tape_.parent(s)) chain.push_back(s);
        for (std::size_t k = chain.size(); k-- > 0;) {
          found = chain[k];
          if (depth(tape_, found) > depth(tape_, *common) && !around.contains(found)) break;
        }
      }
      layer[scope] = found;
    }
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (const ScopeId scope = tape_[program_.shown(id)].place.scope; scope != 0 && is_in_time(id))
        key_[id] = layer[scope];
  }

  // What has no scope belongs to the layer that it reads, or else to that which reads it.
  void place_scopeless() {
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (key_[id] == 0 && is_in_time(id))
        for (NodeId operand : program_.operands(id))
          if (key_[id] == 0 && is_in_time(operand) && in_same_step(id, operand)) key_[id] = key_[operand];
    for (NodeId id = static_cast<NodeId>(tape_.size()); id-- > 0;)
      if (key_[id] == 0 && is_in_time(id))
        for (NodeId reader : program_.readers(id))
          if (key_[id] == 0 && is_in_time(reader) && in_same_step(id, reader)) key_[id] = key_[reader];
  }

  // The layers as they were first recorded, and which of them reads which within a step.
  std::vector<Key> in_order(std::set<std::pair<Key, Key>>& reads) const {
    std::vector<Key> order;
    std::set<Key> seen;
    reads.clear();
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!is_in_time(id)) continue;
      if (seen.insert(key(id)).second) order.push_back(key(id));
      for (NodeId operand : program_.operands(id))
        if (is_in_time(operand) && in_same_step(id, operand) && key(operand) != key(id))
          reads.insert({key(id), key(operand)});
    }
    return order;
  }

  // Puts each layer above those that it reads; false if they read each other in a circle, which is then cut where it was first recorded.
  static bool sort(std::vector<Key>& order, const std::set<std::pair<Key, Key>>& reads) {
    std::vector<Key> sorted;
    std::set<Key> done;
    bool no_circle = true;
    while (sorted.size() < order.size()) {
      const auto is_ready = [&](const Key& k) {
        return !done.contains(k) && std::none_of(reads.begin(), reads.end(), [&](const auto& r) {
          return r.first == k && !done.contains(r.second);
        });
      };
      auto next = std::find_if(order.begin(), order.end(), is_ready);
      if (next == order.end()) {
        no_circle = false;
        next = std::find_if(order.begin(), order.end(), [&](const Key& k) { return !done.contains(k); });
      }
      done.insert(*next);
      sorted.push_back(*next);
    }
    order = std::move(sorted);
    return no_circle;
  }

  // A layer that is left and entered again within a step (a scope that joins what two others put out, twice) becomes several: one for each part
  // that hangs together.
  void split_into_parts() {
    Sets sets(tape_.size());
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (is_in_time(id))
        for (NodeId operand : program_.operands(id))
          if (is_in_time(operand) && in_same_step(id, operand) && key_[operand] == key_[id]) sets.unite(id, operand);
    std::map<std::pair<ScopeId, std::int32_t>, std::vector<NodeId>> parts;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!is_in_time(id)) continue;
      std::vector<NodeId>& known = parts[{key_[id], program_.drawn_step(id)}];
      const NodeId set = sets.of(id);
      auto at = std::find(known.begin(), known.end(), set);
      if (at == known.end()) at = known.insert(known.end(), set);
      part_[id] = static_cast<int>(at - known.begin());
    }
  }

  Rows rows(const std::vector<Key>& order) const {
    Rows result;
    std::map<Key, int> index;
    for (const Key& k : order) {
      index[k] = static_cast<int>(result.rows.size());
      result.rows.push_back({k.first});
    }
    result.of.assign(tape_.size(), no_row);
    std::vector<int> forward(order.size()), backward(order.size());
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!is_in_time(id)) continue;
      const int row = result.of[id] = index.at(key(id));
      for (NodeId operand : program_.operands(id)) {
        if (!is_in_time(operand) || result.of[operand] != row) continue;
        forward[row] += program_.drawn_step(operand) < program_.drawn_step(id);
        backward[row] += program_.drawn_step(operand) > program_.drawn_step(id);
      }
    }
    for (std::size_t r = 0; r < order.size(); ++r) result.rows[r].reverse = backward[r] > forward[r];
    return result;
  }

  const Tape& tape_;
  const Program& program_;
  const std::vector<bool>& states_;
  std::vector<ScopeId> key_;
  std::vector<int> part_;
};

}  // namespace

ScopeId common_scope(const Tape& tape, ScopeId a, ScopeId b) {
  int da = depth(tape, a), db = depth(tape, b);
  for (; da > db; --da) a = tape.parent(a);
  for (; db > da; --db) b = tape.parent(b);
  while (a != b) {
    a = tape.parent(a);
    b = tape.parent(b);
  }
  return a;
}

Rows find_rows(const Tape& tape, const Program& program, const std::vector<bool>& states) {
  return Finder(tape, program, states).find();
}

}  // namespace unroll::drawing
