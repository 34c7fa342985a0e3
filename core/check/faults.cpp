#include <unroll/core/check/faults.hpp>

#include <unroll/core/check/program_map.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

// What flows along the chosen edges instead. It may outlive the list of faults, but not the tape.
using Change = EdgeHook;
using Map = std::shared_ptr<const ProgramMap>;

Var nothing(const Edge&, Var, Var) { return {}; }

Change times(double factor) {
  return [factor](const Edge&, Var, Var contribution) { return contribution * factor; };
}

Edges together(Edges a, const Edges& b) {
  a.insert(b.begin(), b.end());
  return a;
}

// 1 in the first row, 0 elsewhere.
Array first_row(const Shape& shape, DType dtype) {
  Array mask(shape, dtype);
  const std::size_t row = shape[0] == 0 ? 0 : shape.size() / static_cast<std::size_t>(shape[0]);
  for (std::size_t i = 0; i < row; ++i) mask.set_flat(i, 1);
  return mask;
}

// 1 in some columns, 0 elsewhere.
Array some_columns(const Shape& shape, DType dtype, std::int64_t from, std::int64_t to) {
  Array mask(shape, dtype);
  const std::int64_t columns = shape[shape.rank() - 1];
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (const auto column = static_cast<std::int64_t>(i) % columns; column >= from && column < to) mask.set_flat(i, 1);
  return mask;
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

// A derivative that stands where that of a function belongs, of its argument a and its result y.
struct OtherDerivative {
  std::string_view function, words;
  Var (*derivative)(Var a, Var y);
};
constexpr OtherDerivative other_derivatives[] = {
    {"tanh", "the derivative of the tanh that gives {0} is taken of its argument a, 1 - a^2, instead of its result",
     [](Var a, Var) { return 1 - square(a); }},
    {"tanh", "the derivative of the tanh that gives {0} is taken of {0} once more, 1 - tanh({0})^2",
     [](Var, Var y) { return 1 - square(tanh(y)); }},
    {"tanh", "the derivative of the tanh that gives {0} is 1 - {0} where 1 - {0}^2 is right",
     [](Var, Var y) { return 1 - y; }},
    {"tanh", "the derivative of a sigmoid, {0} (1 - {0}), stands where {0} is a tanh",
     [](Var, Var y) { return y * (1 - y); }},
    {"sigmoid",
     "the derivative of the sigmoid that gives {0} is taken of its argument a, a (1 - a), instead of its result",
     [](Var a, Var) { return a * (1 - a); }},
    {"sigmoid", "of the derivative {0} (1 - {0}), the factor 1 - {0} is missing", [](Var, Var y) { return y; }},
    {"sigmoid", "of the derivative {0} (1 - {0}), the factor {0} is missing", [](Var, Var y) { return 1 - y; }},
    {"sigmoid", "the derivative of a tanh, 1 - {0}^2, stands where {0} is a sigmoid",
     [](Var, Var y) { return 1 - square(y); }},
    {"softmax",
     "the softmax that gives {0} is differentiated like a sigmoid, {0} (1 - {0}): every score moves all of them",
     [](Var, Var y) { return y * (1 - y); }},
    {"softmax", "of the derivative of the softmax that gives {0}, only the factor {0} is there",
     [](Var, Var y) { return y; }},
    {"sigmoid", "the derivative of the sigmoid that gives {0} is taken of {0} once more",
     [](Var, Var y) {
       const Var s = sigmoid(y);
       return s * (1 - s);
     }},
};

class Search {
 public:
  Search(Map map, const std::vector<NodeId>& leaves, std::int64_t steps, std::int64_t batch)
      : map_(std::move(map)), tape_(map_->tape()), leaves_(leaves), steps_(steps), batch_(batch) {}

  std::vector<Fault> run() {
    states();
    exchanged();
    for (const NodeId leaf : leaves_) of_leaf(leaf);
    std::map<std::string_view, Members> everywhere;  // all nodes of one operation
    for (const auto& [key, members] : map_->classes()) {
      function(members, "");
      Members& all = everywhere[tape_[members[0]].op->name];
      all.insert(all.end(), members.begin(), members.end());
    }
    for (const auto& [op, members] : everywhere) function(members, ", and likewise everywhere");
    for (const auto& [key, members] : map_->classes()) neighbours(members);
    each_edge([&](const Members& members, std::size_t i) { of_edge(members, i); });
    each_edge([&](const Members& members, std::size_t i) { operands(members, i); });
    normalisation();
    return std::move(faults_);
  }

 private:
  using Members = ProgramMap::Members;

  void add(Cause cause, std::string words, const Edges& edges, const Change& change) {
    if (edges.empty()) return;
    faults_.push_back({cause, std::move(words), [edges, change](const Edge& edge, Var g, Var contribution) {
                         return edges.contains({edge.node, edge.input}) ? change(edge, g, contribution) : contribution;
                       }});
  }
  template <class F> void each_edge(const F& f) const {
    for (const auto& [key, members] : map_->classes())
      for (std::size_t i = 0; i < tape_.inputs(members[0]).size(); ++i)
        if (!map_->edges(members, i).empty()) f(members, i);
  }
  std::int32_t step_of(NodeId id) const { return tape_[id].place.step; }
  template <class Predicate> Edges at_steps(const Edges& all, const Predicate& wanted) const {
    Edges result;
    for (const auto& edge : all)
      if (wanted(step_of(edge.first))) result.insert(edge);
    return result;
  }
  std::pair<std::int32_t, std::int32_t> first_and_last(const Edges& all) const {
    std::int32_t first = no_step, last = no_step;
    for (const auto& [id, i] : all)
      if (const std::int32_t step = step_of(id); step >= 1) {
        first = first == no_step ? step : std::min(first, step);
        last = std::max(last, step);
      }
    return {first, last};
  }

  // Constants that people forget, or multiply with twice.
  std::vector<std::pair<double, std::string>> factors() const {
    std::vector<std::pair<double, std::string>> result{{2, "taken twice"}, {0.5, "halved"}};
    const auto also = [&](std::int64_t n, const char* what) {
      const auto factor = static_cast<double>(n);
      if (n < 2) return;
      result.emplace_back(1 / factor, fmt::format("divided by {} once too often", what));
      result.emplace_back(factor, fmt::format("multiplied by {} once too often", what));
    };
    also(batch_, "the batch");
    also(steps_, "the number of steps");
    return result;
  }

  // ---- what one step hands back to the one before

  void states() {
    Edges all, all_initial;
    for (const auto& [name, between] : map_->between_steps()) {
      const Edges& initial = map_->into_initial(name);
      const Edges both = together(between, initial);
      const std::string before = name + "_(t-1)";
      all.insert(between.begin(), between.end());
      all_initial.insert(initial.begin(), initial.end());
      add(Cause::time_term,
          fmt::format("nothing is handed back to {}, at any step: the gradient by {} ends where it begins", before,
                      name),
          both, nothing);
      add(Cause::time_term,
          fmt::format("no gradient is handed back from step t to {}: right for one step, wrong for two", before),
          between, nothing);
      add(Cause::time_term, fmt::format("no gradient reaches the initial state {}_0", name), initial, nothing);
      add(Cause::sign, fmt::format("what is handed back to {} has the wrong sign", before), both, times(-1));
      for (const auto& [factor, words] : factors())
        add(Cause::factor, fmt::format("what is handed back to {} is {}", before, words), both, times(factor));
    }
    if (map_->between_steps().size() < 2) return;
    add(Cause::time_term, "no state is handed a gradient by the step after: right for one step, wrong for two", all,
        nothing);
    add(Cause::time_term, "no gradient is handed back to any state, at any step", together(all, all_initial), nothing);
    add(Cause::time_term, "no gradient reaches the initial state", all_initial, nothing);
  }

  // ---- v and 1 - v, each taken for the other

  void exchanged() {
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
      const Change change = [map = map_, other](const Edge& edge, Var g, Var) {
        return g * map->tape().var(other.at(map->tape().inputs(edge.node)[1 - edge.input]));
      };
      Edges everywhere;
      std::vector<std::pair<std::string, Edges>> one_by_one;
      each_edge([&](const Members& with, std::size_t i) {
        if (tape_[with[0]].op->name != "mul" || !other.contains(tape_.inputs(with[0])[1 - i])) return;
        const Edges some = map_->edges(with, i);
        everywhere.insert(some.begin(), some.end());
        one_by_one.emplace_back(
            fmt::format("the gradient {} is multiplied with {} instead of {}", map_->words(with.back(), i),
                        map_->value(other.at(tape_.inputs(with.back())[1 - i]), with.back()),
                        map_->value(tape_.inputs(with.back())[1 - i], with.back())),
            some);
      });
      add(Cause::wrong_operand,
          fmt::format("{0} and 1 - {0} are exchanged where the gradient is multiplied with them", name), everywhere,
          change);
      for (const auto& [words, some] : one_by_one) add(Cause::wrong_operand, words, some, change);
    }
  }

  // ---- all that flows into one leaf

  void of_leaf(NodeId leaf) {
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
    add(Cause::batch_term,
        fmt::format("the gradient by {} is that of the first sequence alone: it is not summed over the batch", name),
        all, [map = map_](const Edge& edge, Var g, Var contribution) {
          return of_first_sequence(*map, edge, g, contribution);
        });
  }

  // ---- derivatives of tanh, sigmoid, relu and softplus

  void function(const Members& members, const std::string& where) {
    const std::string_view op = tape_[members[0]].op->name;
    const Edges all = map_->edges(members, 0);
    const NodeId shown = members.back();
    if (op == "gather") return positions(map_->words(shown, 0) + where, all);
    if (op != "tanh" && op != "sigmoid" && op != "relu" && op != "softplus" && op != "clip" && op != "softmax") return;
    const std::string y = map_->value(shown, shown);
    if (all.empty()) return;
    const std::string missing = op == "tanh"      ? fmt::format("1 - {}^2", y)
                                : op == "sigmoid" ? fmt::format("{0} (1 - {0})", y)
                                                  : fmt::format("{}'", op);
    add(Cause::derivative_factor,
        fmt::format("the factor {} is missing: the derivative of the {} that gives {}{}", missing, op, y, where), all,
        [](const Edge&, Var g, Var) { return g; });
    for (const auto& [name, words, derivative] : other_derivatives)
      if (name == op)
        add(Cause::derivative_factor, fmt::format(fmt::runtime(words), y) + where, all,
            [map = map_, d = derivative](const Edge& edge, Var g, Var) {
              const Var a = map->tape().var(map->tape().inputs(edge.node)[0]);
              return g * d(a, map->tape().var(edge.node));
            });
    if (where.empty() && (op == "tanh" || op == "sigmoid")) function_of_another(members, all, y);
  }

  // A mask, or another constant, of the step beside.
  void neighbours(const Members& members) {
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
                         found = by_step.find(tape[edge.node].place.step + beside);
              if (own == by_step.end()) return contribution;
              const ArrayView& like = tape[own->second].value;
              const Var mask = found != by_step.end() ? tape.var(found->second)
                                                      : tape.constant(Array::filled(like.shape, beyond, like.dtype));
              return tape[edge.node].op->name == "where" && edge.input == 2 ? g * (1 - mask) : g * mask;
            });
  }

  // The rows of a table, and sequences that are turned round.
  void positions(const std::string& what, const Edges& all) {
    add(Cause::batch_term,
        fmt::format("where one position is taken several times, the last overwrites the others in the gradient {}: "
                    "they do not add up",
                    what),
        all, [map = map_](const Edge& edge, Var g, Var contribution) {
          Tape& tape = map->tape();
          const auto indices = tape[edge.node].attributes.ints.subspan(1);
          const std::int64_t axis = tape[edge.node].attributes.ints[0];
          std::vector<std::int64_t> last;
          for (std::size_t k = 0; k < indices.size(); ++k)
            if (std::find(indices.begin() + static_cast<std::ptrdiff_t>(k) + 1, indices.end(), indices[k]) ==
                indices.end())
              last.push_back(static_cast<std::int64_t>(k));
          if (last.size() == indices.size()) return contribution;
          std::vector<std::int64_t> rows;
          for (const std::int64_t k : last) rows.push_back(indices[static_cast<std::size_t>(k)]);
          const Shape to = tape[tape.inputs(edge.node)[0]].value.shape;
          const std::size_t extent = axis < 0 ? to.rank() - 1 : static_cast<std::size_t>(axis);
          return scatter_add(gather(g, last, axis), rows, axis, to[extent]);
        });
    add(Cause::time_term,
        fmt::format("the gradient {} is not put back in order: each position gets that of another", what), all,
        [](const Edge&, Var g, Var contribution) { return g.shape() == contribution.shape() ? g : contribution; });
  }

  // tanh' or sigmoid' of another value than the result.
  void function_of_another(const Members& members, const Edges& all, const std::string& y) {
    const bool is_tanh = tape_[members[0]].op->name == "tanh";
    const NodeId shown = members.back();
    for (const std::string& name : map_->names(step_of(shown), tape_[shown].value.shape)) {
      if (map_->named(name, step_of(shown))->id() == shown) continue;
      add(Cause::wrong_operand,
          fmt::format("the derivative of the {} that gives {} is taken at {}, {}", is_tanh ? "tanh" : "sigmoid", y,
                      name, is_tanh ? fmt::format("1 - {}^2", name) : fmt::format("{0} (1 - {0})", name)),
          all, [map = map_, name, is_tanh](const Edge& edge, Var g, Var contribution) {
            const auto v = map->named(name, map->tape()[edge.node].place.step);
            if (!v) return contribution;
            return is_tanh ? g * (1 - square(*v)) : g * (*v * (1 - *v));
          });
    }
  }

  // ---- one term

  void of_edge(const Members& members, std::size_t i) {
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
  void of_result(std::size_t inputs, const Members& members, std::size_t i, const Edges& all) {
    if (i < inputs) return;
    const std::string result = map_->value(tape_.inputs(members.back())[i], members.back());
    const Cause cause = map_->between_steps().contains(result) ? Cause::time_term : Cause::gate_term;
    add(cause,
        fmt::format(
            "the adjoint with which {} comes back, from the step after and the loss, is left out or overwritten",
            result),
        all, nothing);
    add(Cause::sign, fmt::format("the adjoint with which {} comes back is taken with the wrong sign", result), all,
        times(-1));
    for (const auto& [factor, words] : factors())
      add(Cause::factor, fmt::format("the adjoint with which {} comes back is {}", result, words), all, times(factor));
  }

  void left_out(const std::string& what, const Edges& some, const std::string& when) {
    add(Cause::gate_term, fmt::format("the term {} is missing{}", what, when), some, nothing);
    add(Cause::sign, fmt::format("the term {} has the wrong sign{}", what, when), some, times(-1));
  }

  void transposed(const Members& members, std::size_t i, const Edges& all, const std::string& what) {
    const Edge edge{members.back(), i};
    if (const Var W = map_->right_factor(edge);
        !W.empty() && W.shape().rank() == 2 && W.shape()[0] > 1 && W.shape()[1] % W.shape()[0] == 0) {
      const bool square = W.shape()[0] == W.shape()[1];
      add(Cause::transposed,
          fmt::format("{}{} is taken for its transpose in the term {}", square ? "" : "each gate's block of ",
                      map_->value(W.id(), edge.node), what),
          all, [map = map_](const Edge& e, Var g, Var) { return times_blocks(g, map->right_factor(e)); });
    }
    if (const Var x = map_->left_factor(edge); !x.empty()) {
      const Shape shape = tape_[tape_.inputs(edge.node)[i]].value.shape;
      if (shape.rank() == 2 && shape[0] == shape[1] && shape[0] > 1)
        add(Cause::transposed, fmt::format("the gradient {} comes out transposed", what), all,
            [](const Edge&, Var, Var contribution) { return transpose(contribution); });
    }
  }

  // Of a product that computes several gates side by side, the part of one of them.
  void blocks(NodeId node, std::size_t i, const Edges& all) {
    if (map_->right_factor({node, i}).empty()) return;
    const std::string input = map_->value(tape_.inputs(node)[i], node);
    const Shape whole = tape_[node].value.shape;
    for (NodeId id = node + 1; id < map_->size(); ++id) {
      const Node& part = tape_[id];
      if (part.op->name != "slice" || tape_.inputs(id)[0] != node || map_->next_name(id).empty() || whole.rank() != 2 ||
          part.value.shape[0] != whole[0])
        continue;
      const std::int64_t from = part.attributes.ints[1], to = from + part.value.shape[1];
      const auto scaled = [&](double factor) {
        return [map = map_, from, to, factor](const Edge& edge, Var g, Var contribution) {
          const Var own = matmul(g * map->tape().constant(some_columns(g.shape(), g.dtype(), from, to)),
                                 transpose(map->right_factor(edge)));
          return contribution + own * (factor - 1);
        };
      };
      const std::string what = fmt::format("to {} through {}", input, map_->next_name(id));
      add(Cause::gate_term, fmt::format("the term {} is missing", what), all, scaled(0));
      add(Cause::sign, fmt::format("the term {} has the wrong sign", what), all, scaled(-1));
    }
  }

  // ---- products with another value than the right one: of the same step, or of the one before

  void operands(const Members& members, std::size_t i) {
    const Edges all = map_->edges(members, i);
    const NodeId shown = all.rbegin()->first;
    const bool pointwise = tape_[shown].op->name == "mul";
    const Var left = map_->left_factor({shown, i});
    if (!pointwise && left.empty()) return;
    const NodeId right = pointwise ? tape_.inputs(shown)[1 - i] : left.id();
    const std::string what = map_->words(shown, i), right_words = map_->value(right, shown);
    for (const std::string& name : map_->names(step_of(shown), tape_[right].value.shape))
      for (const std::int32_t back : {0, 1}) {
        if (back == 1 && !map_->between_steps().contains(name)) continue;
        if (const auto v = map_->named(name, step_of(shown) - back); !v || v->id() == right) continue;
        const auto with = [&](const std::string& words, Var (*form)(Var)) {
          add(Cause::wrong_operand,
              fmt::format("the gradient {} is multiplied with {} instead of {}", what, words, right_words), all,
              [map = map_, name, back, form, pointwise](const Edge& edge, Var g, Var contribution) {
                const auto v = map->named(name, map->tape()[edge.node].place.step - back);
                if (!v) return contribution;
                const Var operand = form(*v);
                return pointwise ? g * operand : matmul(transpose(operand), g);
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

  // ---- a normalisation whose mean and variance are taken for constants

  void normalisation() {
    Edges all;
    each_edge([&](const Members& members, std::size_t i) {
      if (tape_[members[0]].op->name == "mean") all = together(all, map_->edges(members, i));
    });
    add(Cause::gate_term,
        "what flows through mean and variance of the normalisation is missing: they are taken for constants", all,
        nothing);
  }

  Map map_;
  Tape& tape_;
  const std::vector<NodeId>& leaves_;
  std::int64_t steps_, batch_;
  std::vector<Fault> faults_;
};

}  // namespace

std::vector<Fault> single_faults(Tape& tape, const ReverseWalk& walk, const std::vector<NodeId>& leaves,
                                 std::int64_t steps, std::int64_t batch) {
  return Search(std::make_shared<const ProgramMap>(tape, walk), leaves, steps, batch).run();
}

}  // namespace unroll::detail
