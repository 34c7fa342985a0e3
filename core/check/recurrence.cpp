#include <unroll/core/check/recurrence.hpp>

#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::string_view gate_letters[] = {"i", "f", "o", "r", "z", "g", "n"};

constexpr std::string_view handing_on[] = {"where", "concat", "gather", "slice", "select", "detach", "reshape"};

bool is_gate(const Tape& tape, NodeId id) {
  const std::string_view op = tape[id].op->name;
  return op == "sigmoid" || op == "tanh";
}

// One run of a layer: its nodes by name and step. (Ordered, so that gates come in the same order every time.)
struct Run {
  std::map<std::int32_t, NodeId> h;
  std::map<std::string_view, std::map<std::int32_t, NodeId>> others;  // c and the gates
  NodeId last = no_node;                                              // the h that was computed last
};

class Search {
 public:
  explicit Search(Tape& tape) : tape_(tape) {
    for (NodeId id = 0; id < tape.size(); ++id)
      if (is_state(id) && tape.name(id) == "h") {
        refuse_recomputed(id);
        Run& run = run_of(id);
        run.h[tape[id].place.step] = id;
        run.last = id;
      }
    for (NodeId id = 0; id < tape.size(); ++id)
      if (is_state(id) && is_other(id))
        if (const auto layer = layer_of(tape[id].place.scope))
          if (Run* run = run_around(layers_[*layer], id)) run->others[tape.name(id)][tape[id].place.step] = id;
  }

  std::vector<Recurrence> result() const {
    std::vector<Recurrence> all;
    for (const auto& [scope, run] : order_) all.push_back(recurrence(scope, run));
    return all;
  }

 private:
  bool is_state(NodeId id) const {
    const Node& node = tape_[id];
    return node.name != 0 && node.tracked && node.place.step >= 1 && node.place.phase == Phase::forward &&
           !hands_on(id) && !in_warm_up(node.place.scope);
  }
  // A state that is chosen by a mask, regrouped or cut off keeps its name, and is not a new one.
  bool hands_on(NodeId id) const {
    const auto inputs = tape_.inputs(id);
    return std::find(std::begin(handing_on), std::end(handing_on), tape_[id].op->name) != std::end(handing_on) &&
           std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) { return tape_[input].name == tape_[id].name; });
  }
  bool is_other(NodeId id) const {
    const std::string& name = tape_.name(id);
    return name == "c" || (is_gate(tape_, id) &&
                           std::find(std::begin(gate_letters), std::end(gate_letters), name) != std::end(gate_letters));
  }
  // What the warm-up of a truncated gradient records is there already.
  bool in_warm_up(ScopeId scope) const {
    for (; scope != 0; scope = tape_.parent(scope))
      if (tape_.last_part(scope) == "warm-up") return true;
    return false;
  }
  // The results of a checkpoint are copies: no gradient flows from one to the next.
  void refuse_recomputed(NodeId id) const {
    NodeId source = id;
    while (tape_[source].op->name == "slice" || tape_[source].op->name == "reshape") source = tape_.inputs(source)[0];
    if (tape_[source].op->replay)
      throw Error(
          fmt::format("gradient flow: the hidden state is recomputed in the backward pass, so the flow through "
                      "it cannot be read: record it without recompute or checkpoint  {}",
                      tape_.where(id)));
  }

  // The run that a new h goes on with. A step that comes again belongs to another one, unless it only makes something of the h that was there.
  Run& run_of(NodeId id) {
    const ScopeId scope = tape_[id].place.scope;
    const std::int32_t step = tape_[id].place.step;
    std::vector<Run>& runs = layers_[scope];
    for (std::size_t i = runs.size(); i-- > 0;)
      if ((!runs[i].h.contains(step) || tape_[runs[i].last].place.step == step) && depends(id, runs[i].last))
        return runs[i];
    if (runs.empty() || runs.back().h.contains(step)) {
      order_.emplace_back(scope, runs.size());
      runs.emplace_back();
    }
    return runs.back();
  }
  bool depends(NodeId id, NodeId before) const {
    std::vector<bool> reached(id - before + 1, false);
    reached[0] = true;
    for (NodeId next = before + 1; next <= id; ++next)
      for (const NodeId input : tape_.inputs(next))
        if (input >= before && reached[input - before]) reached[next - before] = true;
    return reached[id - before];
  }
  // The run to whose next h, at the same step, a gate or c leads.
  Run* run_around(std::vector<Run>& runs, NodeId id) const {
    Run* around = nullptr;
    NodeId nearest = no_node;
    for (Run& run : runs) {
      const auto h = run.h.find(tape_[id].place.step);
      if (h == run.h.end()) continue;
      if (!around || (h->second >= id && (nearest < id || h->second < nearest))) {
        around = &run;
        nearest = h->second;
      }
    }
    return around;
  }

  // The innermost layer around a scope.
  std::optional<ScopeId> layer_of(ScopeId scope) const {
    while (!layers_.contains(scope)) {
      if (scope == 0) return std::nullopt;
      scope = tape_.parent(scope);
    }
    return scope;
  }

  std::vector<Var> at_steps(const std::map<std::int32_t, NodeId>& nodes, const std::vector<std::int32_t>& steps) const {
    std::vector<Var> vars;
    for (const std::int32_t step : steps) {
      const auto found = nodes.find(step);
      if (found == nodes.end()) return {};
      vars.push_back(tape_.var(found->second));
    }
    return vars;
  }

  Recurrence recurrence(ScopeId scope, std::size_t run) const {
    const Run& found = layers_.at(scope)[run];
    Recurrence r;
    r.layer = tape_.path(scope);
    if (run > 0) r.layer += fmt::format(", run {}", run + 1);
    std::vector<std::pair<NodeId, std::int32_t>> in_order;
    for (const auto& [step, id] : found.h) in_order.emplace_back(id, step);
    std::sort(in_order.begin(), in_order.end());
    for (const auto& [id, step] : in_order) {
      r.steps.push_back(step);
      r.h.push_back(tape_.var(id));
    }
    for (const auto& [name, nodes] : found.others) {
      std::vector<Var> values = at_steps(nodes, r.steps);
      if (values.empty()) continue;
      if (name == "c")
        r.c = std::move(values);
      else
        r.gates.push_back({std::string(name), tape_[values[0].id()].op->name == "tanh", std::move(values)});
    }
    if (const NodeId id = in_order.front().first; is_gate(tape_, id))
      r.gates.push_back({"h", tape_[id].op->name == "tanh", r.h});
    return r;
  }

  Tape& tape_;
  std::vector<std::pair<ScopeId, std::size_t>> order_;  // layer and run
  std::map<ScopeId, std::vector<Run>> layers_;
};

}  // namespace

std::vector<Recurrence> find_recurrences(Tape& tape) { return Search(tape).result(); }

std::vector<Recurrence> require_recurrences(Tape& tape) {
  std::vector<Recurrence> layers = find_recurrences(tape);
  if (layers.empty())
    throw Error(
        "gradient flow: there is no recurrent layer on the tape: its hidden state is known by the name h at time steps "
        "from 1 on (Var::named, Step)");
  return layers;
}

}  // namespace unroll
