#include <unroll/core/check/fault_search.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <map>
#include <optional>

#include <fmt/format.h>

namespace unroll::detail {

// v and 1 - v, each taken for the other.
void FaultSearch::exchanged() {
  for (const auto& [key, members] : map_->classes()) {
    if (tape_[members[0]].op->name != "sub") continue;
    std::map<NodeId, NodeId> other;  // of v the complement, and of the complement v
    std::string name;
    for (const NodeId complement : members) {
      const NodeId one = tape_.inputs(complement)[0], v = tape_.inputs(complement)[1];
      if (!tape_[one].op->is_leaf() || tape_[one].value.size() != 1 || tape_[one].value.flat(0) != 1) continue;
      other[v] = complement;
      other[complement] = v;
      name = map_->value(v, complement);
    }
    if (other.empty()) continue;
    const EdgeHook change = [map = map_, other](const Edge& edge, Var g, Var) {
      return g * map->tape().var(other.at(map->tape().inputs(edge.node)[1 - edge.input]));
    };
    Edges everywhere;
    std::vector<std::pair<std::string, Edges>> one_by_one;
    each_edge([&](const Members& with, std::size_t i) {
      if (tape_[with[0]].op->name != "mul") return;
      // products of one class need not all be with v: where every step reads the same v, the first may be with something else
      Edges some = map_->edges(with, i);
      std::erase_if(some, [&](const auto& edge) { return !other.contains(tape_.inputs(edge.first)[1 - edge.second]); });
      if (some.empty()) return;
      everywhere.insert(some.begin(), some.end());
      const NodeId shown = some.rbegin()->first, factor = tape_.inputs(shown)[1 - i];
      one_by_one.emplace_back(fmt::format("the gradient {} is multiplied with {} instead of {}", map_->words(shown, i),
                                          map_->value(other.at(factor), shown), map_->value(factor, shown)),
                              some);
    });
    add(Cause::wrong_operand,
        fmt::format("{0} and 1 - {0} are exchanged where the gradient is multiplied with them", name), everywhere,
        change);
    for (const auto& [words, some] : one_by_one) add(Cause::wrong_operand, words, some, change);
  }
}

// A mask, or another constant, of the step beside.
void FaultSearch::neighbours(const Members& members) {
  const std::string_view op = tape_[members[0]].op->name;
  if (op != "where" && op != "mul") return;
  const Edges all =
      together(map_->edges(members, 1), op == "where" ? map_->edges(members, 2) : map_->edges(members, 0));
  const auto constant_of = [this](NodeId id) -> std::optional<NodeId> {
    for (const NodeId input : tape_.inputs(id))
      if (tape_[input].op == &constant_op() && tape_[input].value.size() > 1) return input;
    return std::nullopt;
  };
  std::map<std::int32_t, NodeId> by_step;
  for (const NodeId id : members)
    if (const auto constant = constant_of(id)) by_step[step_of(id)] = *constant;
  if (by_step.size() < 2) return;
  for (const std::int32_t beside : {-1, 1})
    for (const double beyond : {1.0, 0.0})  // what stands where there is no such step
      add(Cause::wrong_operand,
          fmt::format("in the gradient {}, the mask of the step {} is used", map_->words(members.back(), 1),
                      beside < 0 ? "before" : "after"),
          all, [map = map_, by_step, beside, beyond](const Edge& edge, Var g, Var contribution) {
            Tape& tape = map->tape();
            const auto own = by_step.find(tape[edge.node].place.step),
                       found = by_step.find(steps_from(tape[edge.node].place.step, beside));
            if (own == by_step.end()) return contribution;
            const ArrayView& like = tape[own->second].value;
            const Var mask = found != by_step.end() ? tape.var(found->second)
                                                    : tape.constant(Array::filled(like.shape, beyond, like.dtype));
            return tape[edge.node].op->name == "where" && edge.input == 2 ? g * (1 - mask) : g * mask;
          });
}

// Of the same step, or of the one before.
void FaultSearch::operands(const Members& members, std::size_t i) {
  const Edges all = map_->edges(members, i);
  const NodeId shown = all.rbegin()->first;
  const bool pointwise = tape_[shown].op->name == "mul";
  // the other factor of a product: x for W in x W, and for W in W x
  const Var left = map_->left_factor({shown, i}), behind = map_->right_factor({shown, i});
  if (!pointwise && left.empty() && behind.empty()) return;
  const bool weight_in_front = !pointwise && left.empty();
  const NodeId right = pointwise ? tape_.inputs(shown)[1 - i] : weight_in_front ? behind.id() : left.id();
  const std::string what = map_->words(shown, i), right_words = map_->value(right, shown);
  for (const std::string& name : map_->names(step_of(shown), tape_[right].value.shape))
    for (const std::int32_t back : {0, 1}) {
      if (back == 1 && !map_->between_steps().contains(name)) continue;
      if (const auto v = map_->named(name, steps_from(step_of(shown), -back)); !v || v->id() == right) continue;
      const auto with = [&](const std::string& words, Var (*form)(Var)) {
        add(Cause::wrong_operand,
            fmt::format("the gradient {} is multiplied with {} instead of {}", what, words, right_words), all,
            [map = map_, name, back, form, pointwise, weight_in_front](const Edge& edge, Var g, Var contribution) {
              const auto v = map->named(name, steps_from(map->tape()[edge.node].place.step, -back));
              if (!v) return contribution;
              const Var operand = form(*v);
              if (pointwise) return g * operand;
              return weight_in_front ? matmul(g, transpose(operand)) : matmul(transpose(operand), g);
            });
      };
      const std::string words = back == 1 ? name + "_(t-1)" : name;
      with(words, [](Var v) { return v; });
      with(fmt::format("1 - {}", words), [](Var v) { return 1 - v; });
      if (pointwise) with(fmt::format("tanh({})", words), [](Var v) { return tanh(v); });
    }
  if (pointwise)
    add(Cause::wrong_operand,
        fmt::format("the gradient {} is multiplied with the value itself instead of the other factor, {}", what,
                    right_words),
        all, [map = map_](const Edge& edge, Var g, Var) {
          return g * map->tape().var(map->tape().inputs(edge.node)[edge.input]);
        });
  if (pointwise)
    add(Cause::derivative_factor, fmt::format("the factor {} is missing in the gradient {}", right_words, what), all,
        [](const Edge&, Var g, Var) { return g; });
}

}  // namespace unroll::detail
