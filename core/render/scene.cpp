#include <unroll/core/render/scene.hpp>

#include <unroll/core/render/program.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

bool contains(const std::vector<int>& list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

class Reader {
 public:
  Reader(const Tape& tape, Phase phase, const DrawOptions& options)
      : tape_(tape), phase_(phase), options_(options), program_(tape, phase) {}

  Scene read() {
    choose_blocks();
    find_states();
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (program_.is_drawn(id)) add_item(id);
    for (std::size_t b = 0; b < scene_.blocks.size(); ++b) {
      Block& block = scene_.blocks[b];
      block.common_scope = common_scope(block);
      connect(block, static_cast<int>(b));
    }
    return std::move(scene_);
  }

 private:
  // ---- where they stand

  void choose_blocks() {
    const auto n = static_cast<NodeId>(tape_.size());
    std::vector<bool> after_time(n), before_time(n);
    std::set<std::int32_t> steps;
    for (NodeId id = 0; id < n; ++id) {
      if (!program_.is_drawn(id)) continue;
      const std::int32_t step = tape_[id].place.step;
      if (step != no_step && program_.kind(id) == Program::Kind::computed) steps.insert(step);
      after_time[id] = step != no_step && program_.kind(id) == Program::Kind::computed;
      for (NodeId operand : program_.operands(id))
        if (after_time[operand]) after_time[id] = true;
    }
    for (NodeId id = n; id-- > 0;)
      for (NodeId reader : program_.readers(id))
        if (tape_[reader].place.step != no_step || before_time[reader]) before_time[id] = true;

    // Blocks by place in the picture: before time, the steps, after time. The backward pass runs against time.
    constexpr auto before = std::numeric_limits<std::int64_t>::min(), after = std::numeric_limits<std::int64_t>::max();
    const int direction = phase_ == Phase::backward ? -1 : 1;
    std::vector<std::optional<std::int64_t>> place(n);
    for (NodeId id = 0; id < n; ++id) {
      if (program_.kind(id) != Program::Kind::computed) continue;
      const std::int32_t step = tape_[id].place.step;
      place[id] = step != no_step ? direction * step : before_time[id] && !after_time[id] ? before : after;
    }
    // A leaf belongs to its only reader; one that several blocks read is shown in each.
    for (NodeId id = 0; id < n; ++id) {
      if (program_.kind(id) != Program::Kind::leaf) continue;
      std::set<std::int64_t> places;
      for (NodeId reader : program_.readers(id))
        if (place[reader]) places.insert(*place[reader]);
      const bool initial = phase_ == Phase::forward && (tape_[id].place.step == 0 || is_renewed(id));
      if (initial && !steps.empty() && !places.contains(0))
        initial_.insert(id);
      else if (places.size() == 1)
        place[id] = *places.begin();
    }

    std::map<std::int64_t, int> order;
    for (const auto& p : place)
      if (p) order[*p] = 0;
    for (auto& [p, index] : order) {
      index = static_cast<int>(scene_.blocks.size());
      Block& block = scene_.blocks.emplace_back();
      block.step = p == before || p == after ? no_step : static_cast<std::int32_t>(direction * p);
      block.beside_time = block.step == no_step && !steps.empty();
      if (block.step != no_step) widest_step_ = std::max(widest_step_, fmt::format("{}", block.step).size());
    }
    block_.assign(n, nowhere);
    for (NodeId id = 0; id < n; ++id)
      if (place[id]) block_[id] = order[*place[id]];
  }

  // States: what a step reads of another step, and what has the same name and scope at other steps (so the last step, whose states nobody
  // reads, is drawn like the others).
  void find_states() {
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const Program::Kind kind = program_.kind(id);
      const std::int32_t step = tape_[program_.shown(id)].place.step;
      if ((kind != Program::Kind::computed && kind != Program::Kind::cut) || step == no_step) continue;
      for (NodeId reader : program_.readers(id))
        if (tape_[reader].place.step != step && tape_[reader].place.step != no_step) states_.insert(identity(id));
    }
    for (NodeId id : initial_)
      for (NodeId other : named_like(id)) states_.insert(identity(other));
  }

  // What is the same in every step: the name, or what is computed, and the scope.
  using Identity = std::pair<std::string, ScopeId>;
  Identity identity(NodeId id) const {
    std::string name = program_.name(id);
    const NodeId shown = program_.shown(id);
    return {name.empty() ? program_.expression(shown) : name, tape_[shown].place.scope};
  }

  // The computed nodes in the step that reads a leaf which have its name: "h" of step 1 for the initial "h".
  std::vector<NodeId> named_like(NodeId leaf) const {
    std::vector<NodeId> result;
    if (program_.name(leaf).empty()) return result;
    for (NodeId reader : program_.readers(leaf)) {
      const std::int32_t step = tape_[reader].place.step;
      if (step == no_step) continue;
      for (NodeId id = leaf + 1; id < tape_.size(); ++id)
        if (program_.kind(id) == Program::Kind::computed && tape_[id].place.step == step &&
            program_.name(id) == program_.name(leaf))
          result.push_back(id);
      break;
    }
    return result;
  }
  bool is_renewed(NodeId leaf) const { return tape_[leaf].place.step == no_step && !named_like(leaf).empty(); }

  // ---- boxes

  // `step` is what is written for the number of the step.
  Text text(NodeId id, Look look, const std::string& step) const {
    const bool leaf = look == Look::input || look == Look::port;
    const std::string expressed = program_.expression(id);
    Text result;
    std::string name = program_.name(id);
    if (name.empty() && leaf) name = program_.reference(id, id);
    if (name.empty() || name == "·") {
      result.title = expressed;
      if (tape_[id].op->name == "matmul" && expressed != "matmul") result.note = "matmul";
    } else {
      result.title = program_.step(id) == no_step ? name : name + "_" + step;
      if (!leaf) result.note = expressed;
    }
    if (options_.shapes && look != Look::port)
      result.note += (result.note.empty() ? "" : " ") + to_string(tape_[id].value.shape);
    if (options_.gradients && look != Look::operation && look != Look::port) result.gradient = "∇ " + gradient(id);
    return result;
  }

  std::string gradient(NodeId id) const {
    const Var var = tape_.var(id);
    return options_.gradients->contains(var) ? number(options_.gradients->norm(var)) : "–";
  }

  Item item(NodeId id, Look look) const {
    const Node& node = tape_[id];
    Item result;
    result.id = fmt::format("n{}", id);
    result.node = id;
    result.look = look;
    result.scope = tape_[program_.shown(id)].place.scope;
    result.text = text(id, look, fmt::format("{}", program_.step(id)));
    result.widest = text(id, look, std::string(widest_step_, '0'));
    if (!result.widest.gradient.empty()) result.widest.gradient = "∇ 0.0e-00";
    const std::string named = program_.full_name(id);
    result.tooltip = fmt::format("{}{} {}", named.empty() ? "" : named + " = ", node.op->name, tape_.where(id));
    return result;
  }

  Look look_of(NodeId id) const {
    if (program_.kind(id) == Program::Kind::leaf || program_.is_part_of_input(id)) return Look::input;
    if (states_.contains(identity(id))) return Look::state;
    return program_.name(id).empty() ? Look::operation : Look::result;
  }

  void add_item(NodeId id) {
    if (program_.kind(id) == Program::Kind::cut) {
      scene_.spots[id] = scene_.spots.at(program_.shown(id));
      scene_.cuts.insert(id);
    } else if (initial_.contains(id)) {
      scene_.spots[id] = {nowhere, static_cast<int>(scene_.initial.size())};
      scene_.initial.push_back(item(id, Look::port));
      scene_.initial.back().text = scene_.initial.back().widest = text(id, Look::input, "0");
    } else if (block_[id] != nowhere) {
      auto& items = scene_.blocks[block_[id]].items;
      scene_.spots[id] = {block_[id], static_cast<int>(items.size())};
      items.push_back(item(id, look_of(id)));
    }
  }

  ScopeId common_scope(const Block& block) const {
    const auto chain = [&](ScopeId scope) {
      std::vector<ScopeId> scopes{scope};
      while (scopes.back() != 0) scopes.push_back(tape_.parent(scopes.back()));
      std::reverse(scopes.begin(), scopes.end());
      return scopes;
    };
    std::optional<std::vector<ScopeId>> common;
    for (const Item& item : block.items) {
      if (item.look == Look::input) continue;
      const auto scopes = chain(item.scope);
      if (!common) common = scopes;
      const auto end = std::mismatch(common->begin(), common->end(), scopes.begin(), scopes.end()).first;
      common->erase(end, common->end());
    }
    return common && !common->empty() ? common->back() : 0;
  }

  // ---- what is connected, and how

  int item_of(NodeId id) const { return scene_.spots.at(id).item; }

  void connect(Block& block, int index) {
    // What comes from outside, in the order of its first reader.
    std::vector<NodeId> outside;
    std::map<NodeId, std::vector<int>> outside_readers;
    std::vector<int> rail_of(block.items.size(), nowhere);
    const std::size_t own = block.items.size();
    for (std::size_t i = 0; i < own; ++i) {
      const NodeId id = block.items[i].node;
      const bool on_rail = block.items[i].look == Look::input && block.step != no_step;
      if (on_rail) {
        rail_of[i] = static_cast<int>(block.rails.size());
        block.rails.push_back({static_cast<int>(i), {}, {}});
      }
      for (NodeId operand : program_.operands(id)) {
        if (block_[operand] == index) {
          const int from = item_of(operand);
          if (const int rail = rail_of[from]; rail != nowhere)
            block.rails[rail].readers.push_back(static_cast<int>(i));
          else
            block.links.push_back({from, static_cast<int>(i)});
        } else if (on_rail) {
          block.rails.back().sources.push_back(operand);
        } else {
          if (!outside_readers.contains(operand)) outside.push_back(operand);
          outside_readers[operand].push_back(static_cast<int>(i));
        }
      }
    }
    std::vector<Rail> ports;
    for (NodeId source : outside) {
      std::vector<int>& readers = outside_readers[source];
      if (auto way = motorway(block, source, readers); !way.empty()) {
        std::erase(readers, way.front());
        block.motorways.push_back({source, std::move(way)});
      }
      if (!readers.empty()) add_port(block, ports, source, readers);
    }
    // The states of the upper layers come down on the right of those of the lower layers (see arrange.cpp): their rails are above,
    // so that no two lines cross.
    std::stable_sort(ports.begin(), ports.end(), [&](const Rail& a, const Rail& b) {
      return renewed_by(block, a.sources[0]) > renewed_by(block, b.sources[0]);
    });
    block.rails.insert(block.rails.begin(), ports.begin(), ports.end());
  }

  // The item of a block that renews a state: the one with its name. Scopes may differ for initial states.
  int renewed_by(const Block& block, NodeId source) const {
    int result = nowhere;
    for (int i = 0; i < static_cast<int>(block.items.size()); ++i)
      if (block.items[i].look == Look::state && identity(block.items[i].node).first == identity(source).first &&
          (result == nowhere || block.items[i].scope == tape_[program_.shown(source)].place.scope))
        result = i;
    return result;
  }

  // A shortest way from a reader of the state to the item that renews it through sums and products at the place of the latter; empty if
  // there is none. (c * f + ..., or z * h + ...; a state that goes through a matmul or a tanh has no motorway.)
  std::vector<int> motorway(const Block& block, NodeId source, const std::vector<int>& readers) const {
    const int last = renewed_by(block, source);
    if (last == nowhere) return {};
    std::vector<int> next(block.items.size(), nowhere), order{last};
    const auto is_lane = [&](int i) {
      const Item& item = block.items[i];
      const auto op = tape_[item.node].op->name;
      return item.scope == block.items[last].scope && (op == "add" || op == "mul" || op == "sub");
    };
    if (!is_lane(last)) return {};
    for (std::size_t k = 0; k < order.size(); ++k) {
      const int to = order[k];
      if (contains(readers, to)) {
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

  void add_port(Block& block, std::vector<Rail>& ports, NodeId source, const std::vector<int>& readers) {
    const bool has_line = scene_.spots.contains(source);
    // One node that reads the same state of many steps (a stack) has one port for all of them.
    for (Rail& port : ports)
      if (has_line && identity(port.sources[0]) == identity(source) && port.readers == readers) {
        port.sources.push_back(source);
        if (port.item != nowhere) extend(block.items[port.item], source);
        return;
      }
    if (has_line && block.beside_time) {
      ports.push_back({nowhere, {source}, readers});
      return;
    }
    const int at = static_cast<int>(block.items.size());
    Item port = item(source, Look::port);
    if (initial_.contains(source)) port.text = text(source, Look::port, "0");
    port.id += "_" + block_name(block);
    block.items.push_back(std::move(port));
    if (block.step == no_step)
      for (int reader : readers) block.links.push_back({at, reader});
    else
      ports.push_back({at, {source}, readers});
  }

  // "h_1" becomes "h_1 … h_3".
  void extend(Item& port, NodeId source) const {
    std::string& title = port.text.title;
    title = fmt::format("{} … {}", title.substr(0, title.find(" … ")), program_.full_name(source));
    port.widest = port.text;
  }

  const Tape& tape_;
  const Phase phase_;
  const DrawOptions& options_;
  const Program program_;
  std::vector<int> block_;
  std::set<NodeId> initial_;
  std::set<Identity> states_;
  std::size_t widest_step_ = 1;
  Scene scene_;
};

}  // namespace

std::string block_name(const Block& block) {
  if (block.step == no_step) return "out";
  return block.step < 0 ? fmt::format("tm{}", -block.step) : fmt::format("t{}", block.step);
}

bool Block::on_motorway(int item) const {
  return std::any_of(motorways.begin(), motorways.end(), [&](const Motorway& m) { return contains(m.way, item); });
}

bool Block::on_motorway(const Link& link) const {
  for (const Motorway& m : motorways)
    for (std::size_t k = 1; k < m.way.size(); ++k)
      if (m.way[k - 1] == link.from && m.way[k] == link.to) return true;
  return false;
}

Scene read_scene(const Tape& tape, Phase phase, const DrawOptions& options) {
  return Reader(tape, phase, options).read();
}

}  // namespace unroll::drawing
