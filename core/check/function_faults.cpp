#include <unroll/core/check/fault_search.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

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

}  // namespace

void FaultSearch::functions() {
  std::map<std::string_view, Members> everywhere;  // all nodes of one operation
  for (const auto& [key, members] : map_->classes()) {
    function(members, "");
    Members& all = everywhere[tape_[members[0]].op->name];
    all.insert(all.end(), members.begin(), members.end());
  }
  for (const auto& [op, members] : everywhere) function(members, ", and likewise everywhere");
}

void FaultSearch::function(const Members& members, const std::string& where) {
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

// tanh' or sigmoid' of another value than the result, of the same step or, of a state, of the step before.
void FaultSearch::function_of_another(const Members& members, const Edges& all, const std::string& y) {
  const bool is_tanh = tape_[members[0]].op->name == "tanh";
  const NodeId shown = members.back();
  for (const std::string& name : map_->names(step_of(shown), tape_[shown].value.shape))
    for (const std::int32_t back : {0, 1}) {
      if (back == 1 && !map_->between_steps().contains(name)) continue;
      if (const auto v = map_->named(name, steps_from(step_of(shown), -back)); !v || v->id() == shown) continue;
      const std::string words = back == 1 ? name + "_(t-1)" : name;
      add(Cause::wrong_operand,
          fmt::format("the derivative of the {} that gives {} is taken at {}, {}", is_tanh ? "tanh" : "sigmoid", y,
                      words, is_tanh ? fmt::format("1 - {}^2", words) : fmt::format("{0} (1 - {0})", words)),
          all, [map = map_, name, back, is_tanh](const Edge& edge, Var g, Var contribution) {
            const auto v = map->named(name, steps_from(map->tape()[edge.node].place.step, -back));
            if (!v) return contribution;
            return is_tanh ? g * (1 - square(*v)) : g * (*v * (1 - *v));
          });
    }
}

// The rows of a table, and sequences that are turned round.
void FaultSearch::positions(const std::string& what, const Edges& all) {
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
      fmt::format(
          "what was put in another order is not put back on the way {}: each position gets the gradient of another",
          what),
      all, [](const Edge&, Var g, Var contribution) { return g.shape() == contribution.shape() ? g : contribution; });
}

}  // namespace unroll::detail
