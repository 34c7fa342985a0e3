#include <unroll/core/check/fault_search.hpp>

#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

// 1 in the first row, 0 elsewhere.
Array first_row(const Shape& shape, DType dtype) {
  Array mask(shape, dtype);
  const std::size_t row = shape[0] == 0 ? 0 : shape.size() / static_cast<std::size_t>(shape[0]);
  for (std::size_t i = 0; i < row; ++i) mask.set_flat(i, 1);
  return mask;
}

// 1 where a gate stands, 0 elsewhere.
Array mask_of(const ProgramMap::Gate& gate, const Shape& shape, DType dtype) {
  Array mask(shape, dtype);
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (const std::int64_t at = index_of(shape, i)[static_cast<std::size_t>(gate.axis)];
        at >= gate.begin && at < gate.end)
      mask.set_flat(i, 1);
  return mask;
}

// What a product or sum hands to an input of it when g comes back.
Var handed_back(const ProgramMap& map, const Edge& edge, Var g) {
  if (const Var right = map.right_factor(edge); !right.empty()) return matmul(g, transpose(right));
  if (const Var left = map.left_factor(edge); !left.empty()) return matmul(transpose(left), g);
  return g;
}

// The contribution of the first sequence of a batch alone.
Var of_first_sequence(const ProgramMap& map, const Edge& edge, Var g, Var contribution) {
  Tape& tape = map.tape();
  if (const Var x = map.left_factor(edge); !x.empty() && x.shape().rank() == 2) {
    const Var counted = x * tape.constant(first_row(x.shape(), x.dtype()));
    return matmul(transpose(counted), g);
  }
  const Shape to = tape[tape.inputs(edge.node)[edge.input]].value.shape;
  if (contribution.shape() == to || contribution.shape().rank() < 2) return contribution;
  return contribution * tape.constant(first_row(contribution.shape(), contribution.dtype()));
}

// g times the transpose of each square block of W instead of W's.
Var times_blocks(Var g, Var weights) {
  const std::int64_t rows = weights.shape()[0], columns = weights.shape()[1];
  Var total;
  for (std::int64_t at = 0; at < columns; at += rows) {
    const Var part = slice(g, 1, at, at + rows), block = slice(weights, 1, at, at + rows);
    const Var term = matmul(part, block);
    total = total.empty() ? term : total + term;
  }
  return total;
}

}  // namespace

std::vector<Fault> FaultSearch::run() {
  states();
  exchanged();
  for (const NodeId leaf : leaves_) of_leaf(leaf);
  functions();
  for (const auto& [key, members] : map_->classes()) neighbours(members);
  each_edge([&](const Members& members, std::size_t i) { of_edge(members, i); });
  each_edge([&](const Members& members, std::size_t i) { operands(members, i); });
  normalisation();
  // what is outside of the time steps, such as the loss, least of all
  std::stable_partition(faults_.begin(), faults_.end(), [](const Placed& placed) { return placed.in_a_step; });
  std::vector<Fault> result;
  for (Placed& placed : faults_) result.push_back(std::move(placed.fault));
  return result;
}

void FaultSearch::add(Cause cause, std::string words, const Edges& edges, const EdgeHook& change) {
  if (edges.empty()) return;
  const EdgeHook hook = [edges, change](const Edge& edge, Var g, Var contribution) {
    return edges.contains({edge.node, edge.input}) ? change(edge, g, contribution) : contribution;
  };
  const bool in_a_step =
      std::any_of(edges.begin(), edges.end(), [&](const auto& edge) { return step_of(edge.first) >= 1; });
  faults_.push_back({{cause, std::move(words), edges, hook}, in_a_step});
}

std::pair<std::int32_t, std::int32_t> FaultSearch::first_and_last(const Edges& all) const {
  std::int32_t first = no_step, last = no_step;
  for (const auto& [id, i] : all)
    if (const std::int32_t step = step_of(id); step >= 1) {
      first = first == no_step ? step : std::min(first, step);
      last = std::max(last, step);
    }
  return {first, last};
}

std::vector<std::pair<double, std::string>> FaultSearch::factors() const {
  std::vector<std::pair<double, std::string>> result{{2, "taken twice"}, {0.5, "halved"}};
  const auto put = [&](double factor, const std::string& words) {
    for (auto& [known, what] : result)
      if (known == factor) return void(what += ", or " + words);
    result.emplace_back(factor, words);
  };
  const auto also = [&](std::int64_t n, const char* what) {
    const auto factor = static_cast<double>(n);
    if (n < 2) return;
    put(1 / factor, fmt::format("divided by {} once too often", what));
    put(factor, fmt::format("multiplied by {} once too often", what));
  };
  also(batch_, "the batch");
  also(steps_, "the number of steps");
  return result;
}

// ---- what one step hands back to the one before

void FaultSearch::states() {
  Edges all, all_initial;
  for (const auto& [name, between] : map_->between_steps()) {
    const Edges& initial = map_->into_initial(name);
    const Edges both = together(between, initial);
    const std::string before = name + "_(t-1)";
    all.insert(between.begin(), between.end());
    all_initial.insert(initial.begin(), initial.end());
    add(Cause::time_term,
        fmt::format("nothing is handed back to {}, at any step: the gradient by {} ends where it begins", before, name),
        both, nothing);
    add(Cause::time_term,
        fmt::format("no gradient is handed back from step t to {}: right for one step, wrong for two", before), between,
        nothing);
    add(Cause::time_term, fmt::format("no gradient reaches the initial state {}_0", name), initial, nothing);
    add(Cause::sign, fmt::format("what is handed back to {} has the wrong sign", before), both, times(-1));
    for (const auto& [factor, words] : factors())
      add(Cause::factor, fmt::format("what is handed back to {} is {}", before, words), both, times(factor));
    const auto [first, last] = first_and_last(between);
    for (std::int32_t step = last; step > first; --step)
      add(Cause::time_term,
          fmt::format("step {} hands nothing back to {}_{}: the way back ends there", step, name, step - 1),
          at_steps(between, [step](std::int32_t at) { return at == step; }), nothing);
  }
  shown();
  if (map_->between_steps().size() < 2) return;
  add(Cause::time_term, "no state is handed a gradient by the step after: right for one step, wrong for two", all,
      nothing);
  add(Cause::time_term, "no gradient is handed back to any state, at any step", together(all, all_initial), nothing);
  add(Cause::time_term, "no gradient reaches the initial state", all_initial, nothing);
}

// What comes to a state from outside of the steps: from the loss, or from the outputs of the steps that the loss is made of.
void FaultSearch::shown() {
  std::map<std::string, std::map<std::int32_t, Edges>> all;  // by the name of the state, and its step
  for (const auto& [key, members] : map_->classes())
    for (const NodeId id : members)
      for (std::size_t i = 0; i < tape_.inputs(id).size() && step_of(id) < 1; ++i)
        if (const NodeId input = tape_.inputs(id)[i]; map_->between_steps().contains(tape_.name(input)))
          all[tape_.name(input)][step_of(input)].insert({id, i});
  for (const auto& [name, by_step] : all) {
    if (by_step.size() < 2) continue;
    Edges but_first, but_last;
    for (const auto& [step, edges] : by_step) {
      if (step != by_step.begin()->first) but_first.insert(edges.begin(), edges.end());
      if (step != by_step.rbegin()->first) but_last.insert(edges.begin(), edges.end());
    }
    const std::string what = fmt::format("what comes to {} from the output of its own step is missing", name);
    add(Cause::gate_term, what + ", but at the last step", but_last, nothing);
    add(Cause::gate_term, what + ", but at the first step", but_first, nothing);
    add(Cause::gate_term, what, together(but_last, but_first), nothing);
  }
}

// ---- all that flows into one leaf

void FaultSearch::of_leaf(NodeId leaf) {
  Edges all;
  each_edge([&](const Members& members, std::size_t i) {
    for (const NodeId id : members)
      if (tape_.inputs(id)[i] == leaf) all.insert({id, i});
  });
  const Parameter* parameter = tape_.parameter(leaf);
  const std::string name = parameter ? parameter->name() : tape_.name(leaf);
  const auto [first, last] = first_and_last(all);
  if (first != last) {
    const std::string by = fmt::format("the gradient by {}", name);
    const auto but = [&](std::int32_t kept) {
      return at_steps(all, [kept](std::int32_t step) { return step != kept; });
    };
    const auto at = [&](std::int32_t dropped) {
      return at_steps(all, [dropped](std::int32_t step) { return step == dropped; });
    };
    add(Cause::time_term, by + " has the last step's part only: it is not added up over time", but(last), nothing);
    add(Cause::time_term, by + " has the first step's part only: it is not added up over time", but(first), nothing);
    add(Cause::time_term, by + " lacks the part of the first step", at(first), nothing);
    add(Cause::time_term, by + " lacks the part of the last step", at(last), nothing);
  }
  add(Cause::gate_term, fmt::format("no gradient reaches {}: it is zero", name), all, nothing);
  add(Cause::batch_term,
      fmt::format("the gradient by {} is that of the first sequence alone: it is not summed over the batch", name), all,
      [map = map_](const Edge& edge, Var g, Var contribution) {
        return of_first_sequence(*map, edge, g, contribution);
      });
}

// ---- one term

void FaultSearch::of_edge(const Members& members, std::size_t i) {
  const Edges all = map_->edges(members, i);
  const std::string what = map_->words(all.rbegin()->first, i);
  if (const CustomPart* custom = custom_part(tape_, members[0])) return of_result(custom->inputs, members, i, all);
  transposed(members, i, all, what);
  left_out(what, all, "");
  for (const auto& [factor, words] : factors())
    add(Cause::factor, fmt::format("the term {} is {}", what, words), all, times(factor));
  blocks(all.rbegin()->first, i, all);
  const auto [first_step, last_step] = first_and_last(all);
  if (first_step == last_step) return;
  const std::int32_t first = first_step, last = last_step;
  left_out(what, at_steps(all, [last](std::int32_t step) { return step != last; }), ", but at the last step");
  left_out(what, at_steps(all, [first](std::int32_t step) { return step != first; }), ", but at the first step");
  left_out(what, at_steps(all, [first](std::int32_t step) { return step == first; }), " at the first step");
  left_out(what, at_steps(all, [last](std::int32_t step) { return step == last; }), " at the last step");
}

// What comes to a result of a hand-written part from outside of it: from the next step, and from the loss.
void FaultSearch::of_result(std::size_t inputs, const Members& members, std::size_t i, const Edges& all) {
  if (i < inputs) return;
  const std::string result = map_->value(tape_.inputs(members.back())[i], members.back());
  const Cause cause = map_->between_steps().contains(result) ? Cause::time_term : Cause::gate_term;
  const char* from = map_->between_steps().empty() ? "" : ", from the step after and the loss,";
  add(cause, fmt::format("the adjoint with which {} comes back{} is left out or overwritten", result, from), all,
      nothing);
  add(Cause::sign, fmt::format("the adjoint with which {} comes back is taken with the wrong sign", result), all,
      times(-1));
  for (const auto& [factor, words] : factors())
    add(Cause::factor, fmt::format("the adjoint with which {} comes back is {}", result, words), all, times(factor));
}

void FaultSearch::left_out(const std::string& what, const Edges& some, const std::string& when) {
  add(Cause::gate_term, fmt::format("the term {} is missing{}", what, when), some, nothing);
  add(Cause::sign, fmt::format("the term {} has the wrong sign{}", what, when), some, times(-1));
}

void FaultSearch::transposed(const Members& members, std::size_t i, const Edges& all, const std::string& what) {
  const Edge edge{members.back(), i};
  if (const Var W = map_->right_factor(edge);
      !W.empty() && W.shape().rank() == 2 && W.shape()[0] > 1 && W.shape()[1] % W.shape()[0] == 0) {
    const bool square = W.shape()[0] == W.shape()[1];
    add(Cause::transposed,
        fmt::format("{}{} is taken for its transpose in the term {}", square ? "" : "each gate's block of ",
                    map_->value(W.id(), edge.node), what),
        all, [map = map_](const Edge& e, Var g, Var) { return times_blocks(g, map->right_factor(e)); });
  }
  // W h, with the weight in front
  if (const Var W = map_->left_factor(edge); !W.empty() && tape_.parameter(W.id()) && W.shape().rank() == 2 &&
                                             W.shape()[0] == W.shape()[1] && W.shape()[0] > 1)
    add(Cause::transposed,
        fmt::format("{} is taken for its transpose in the term {}", map_->value(W.id(), edge.node), what), all,
        [map = map_](const Edge& e, Var g, Var) { return matmul(map->left_factor(e), g); });
  if (const Var x = map_->left_factor(edge); !x.empty()) {
    const Shape shape = tape_[tape_.inputs(edge.node)[i]].value.shape;
    if (shape.rank() == 2 && shape[0] == shape[1] && shape[0] > 1)
      add(Cause::transposed, fmt::format("the gradient {} comes out transposed", what), all,
          [](const Edge&, Var, Var contribution) { return transpose(contribution); });
  }
}

// Of a product or sum that computes several gates side by side, the part of one of them.
void FaultSearch::blocks(NodeId node, std::size_t i, const Edges& all) {
  const std::string_view op = tape_[node].op->name;
  if (op != "matmul" && op != "affine" && op != "add") return;
  const std::string input = map_->value(tape_.inputs(node)[i], node);
  for (const ProgramMap::Gate& gate : map_->gates(node)) {
    const auto scaled = [&](double factor) {
      return [map = map_, gate, factor](const Edge& edge, Var g, Var contribution) {
        const Var own = handed_back(*map, edge, g * map->tape().constant(mask_of(gate, g.shape(), g.dtype())));
        return contribution + own * (factor - 1);
      };
    };
    const std::string what = fmt::format("to {} through {}", input, gate.name);
    add(Cause::gate_term, fmt::format("the term {} is missing", what), all, scaled(0));
    add(Cause::sign, fmt::format("the term {} has the wrong sign", what), all, scaled(-1));
  }
}

// ---- a normalisation whose mean and variance are taken for constants

void FaultSearch::normalisation() {
  Edges all;
  each_edge([&](const Members& members, std::size_t i) {
    if (tape_[members[0]].op->name == "mean") all = together(all, map_->edges(members, i));
  });
  add(Cause::gate_term,
      "what flows through mean and variance of the normalisation is missing: they are taken for constants", all,
      nothing);
}

std::vector<Fault> single_faults(Tape& tape, const ReverseWalk& walk, const std::vector<NodeId>& leaves,
                                 std::int64_t steps, std::int64_t batch) {
  return FaultSearch(std::make_shared<const ProgramMap>(tape, walk), leaves, steps, batch).run();
}

}  // namespace unroll::detail
