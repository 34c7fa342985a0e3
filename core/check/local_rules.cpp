#include <unroll/core/check/local_rules.hpp>

#include <unroll/core/array/random.hpp>
#include <unroll/core/check/difference.hpp>
#include <unroll/core/check/objective.hpp>
#include <unroll/core/check/patterns.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::detail {

namespace {

constexpr std::size_t most_entries = 256;  // of an operand: larger ones are not looked into

// One operation by itself, with the operands that it has on the tape.
class Alone {
 public:
  Alone(const Tape& tape, NodeId id, Generator& generator) : op_(*tape[id].op), attributes_(tape[id].attributes) {
    for (const NodeId input : tape.inputs(id)) operands_.push_back(tape[input].value.copy());
    cotangent_ = random_like(tape[id].value.shape, tape[id].value.dtype, generator);
  }

  // By its reverse rule.
  std::vector<Array> reverse() {
    Tape tape;
    std::vector<Var> x;
    for (const Array& operand : operands_) x.push_back(tape.input(operand));
    const Var y = apply(op_, x, attributes_);
    std::vector<Array> result;
    std::optional<Gradients> gradients;
    if (y.node().tracked) gradients = backward(y, {.cotangent = cotangent_});
    for (const Var& v : x)
      result.push_back(gradients && gradients->contains(v) ? (*gradients)[v].as(DType::f64)
                                                           : Array(v.shape(), DType::f64));
    return result;
  }

  // By differences.
  Array numeric(std::size_t i) {
    Array result(operands_[i].shape(), DType::f64);
    Array& moving = operands_[i];
    for (std::size_t k = 0; k < result.size(); ++k) {
      const double before = moving.flat(k);
      const Line line{[&](double offset) {
                        moving.set_flat(k, before + offset);
                        std::vector<double> terms = evaluate();
                        moving.set_flat(k, before);
                        return terms;
                      },
                      std::max(std::abs(before), 1e-2), moving.dtype() == DType::f32 ? 0x1p-23 : 0x1p-52};
      const VCurve curve = measure(line, 0);
      kink_ |= curve.verdict != VCurve::Verdict::right;
      if (curve.verdict == VCurve::Verdict::kink) sides_.push_back({k, curve.left, curve.right});
      result.set_flat(k, curve.numeric);
    }
    return result;
  }

  // Whether a derivative by operand i lies between those of both sides at every kink, to rounding.
  bool between_sides(std::size_t i, const Array& derivative) {
    sides_.clear();
    numeric(i);
    return std::all_of(sides_.begin(), sides_.end(), [&](const Sides& s) {
      const double allowed = 1e-5 * std::max(std::abs(s.left), std::abs(s.right)), d = derivative.flat(s.position);
      return d >= std::min(s.left, s.right) - allowed && d <= std::max(s.left, s.right) + allowed;
    });
  }

  std::size_t operands() const { return operands_.size(); }
  const Array& operand(std::size_t i) const { return operands_[i]; }
  bool kink() const { return kink_; }

 private:
  std::vector<double> evaluate() {
    Tape tape;
    std::vector<Var> x;
    for (const Array& operand : operands_) x.push_back(tape.constant(operand.copy()));
    const ArrayView y = apply(op_, x, attributes_).value();
    std::vector<double> terms(y.size());
    for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = cotangent_.flat(i) * y.flat(i);
    return terms;
  }

  const Op& op_;
  Attributes attributes_;
  std::vector<Array> operands_;
  Array cotangent_;
  bool kink_ = false;
  struct Sides {
    std::size_t position;
    double left, right;
  };
  std::vector<Sides> sides_;  // of the kinks that numeric() met
};

// A factor that a wrong derivative of y = f(x) has too much or too little, if it is one that people forget.
std::optional<std::string> known_ratio(const Array& wrong, const Array& right, const ArrayView& x, const ArrayView& y) {
  using Form = double (*)(double x, double y);
  const std::pair<Form, const char*> forms[] = {{[](double, double v) { return 1 - v * v; }, "1 - y^2"},
                                                {[](double, double v) { return v * (1 - v); }, "y (1 - y)"},
                                                {[](double, double v) { return v; }, "y"},
                                                {[](double, double v) { return 1 - v; }, "1 - y"},
                                                {[](double u, double) { return u; }, "x"},
                                                {[](double u, double) { return 1 - u * u; }, "1 - x^2"},
                                                {[](double u, double) { return u * u; }, "x^2"},
                                                {[](double u, double) { return 1 - u; }, "1 - x"}};
  if (x.shape != y.shape || right.size() < 2) return std::nullopt;
  for (const auto& [form, words] : forms)
    for (const bool missing : {true, false}) {
      bool all = true;
      for (std::size_t i = 0; i < right.size() && all; ++i) {
        const double factor = form(x.flat(i), y.flat(i));
        const double a = wrong.flat(i) * (missing ? factor : 1), b = right.flat(i) * (missing ? 1 : factor);
        all = std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b));
      }
      if (all) return fmt::format("the factor {} is {}", words, missing ? "missing" : "too much");
    }
  return std::nullopt;
}

Diagnosis describe(const Tape& tape, NodeId id, std::size_t i, const Array& wrong, const Array& right) {
  const std::string operand = tape.inputs(id).size() == 1 ? "its operand" : fmt::format("operand {}", i);
  const std::string rule = fmt::format("the reverse rule of {}", tape[id].op->name);
  Diagnosis result{Cause::wrong_rule, "", {}};
  if (const auto factor = known_ratio(wrong, right, tape[tape.inputs(id)[i]].value, tape[id].value)) {
    result.cause = Cause::derivative_factor;
    result.summary = fmt::format("{} is wrong: {} in the adjoint of {}", rule, *factor, operand);
  } else if (const auto found = pattern(operand, wrong, right, 1e-5, 0, 0)) {
    result.cause = found->cause == Cause::gate_term ? Cause::wrong_rule : found->cause;
    result.summary = fmt::format("{} is wrong: {}", rule, found->words);
  } else {
    result.summary = fmt::format("{} is wrong for {}", rule, operand);
  }
  std::size_t worst = 0;
  for (std::size_t k = 0; k < right.size(); ++k)
    if (!(std::abs(wrong.flat(k) - right.flat(k)) <= std::abs(wrong.flat(worst) - right.flat(worst)))) worst = k;
  result.evidence.push_back(fmt::format(
      "by itself, for a random adjoint, its rule gives {:.6g} at element {} and differences give {:.6g}  {}",
      wrong.flat(worst), worst, right.flat(worst), tape.where(id)));
  return result;
}

// The gradients of one result of a part by its inputs: by the rule that was written by hand, or by the operations of the part.
std::vector<Array> of_result(const Tape& tape, NodeId id, std::size_t result, bool by_hand) {
  const CustomPart& custom = *custom_part(tape, id);
  Tape own;
  std::vector<Var> inputs;
  for (std::size_t i = 0; i < custom.inputs; ++i) inputs.push_back(own.input(tape[tape.inputs(id)[i]].value.copy()));
  const Var y = (by_hand ? custom_vjp(custom.part, custom.rule, inputs) : custom.part(inputs))[result];
  Generator generator(1);
  std::optional<Gradients> gradients;
  if (y.node().tracked) gradients = backward(y, {.cotangent = random_like(y.shape(), y.dtype(), generator)});
  std::vector<Array> by_input;
  for (const Var& x : inputs)
    by_input.push_back(gradients && gradients->contains(x) ? (*gradients)[x].as(DType::f64)
                                                           : Array(x.shape(), DType::f64));
  return by_input;
}

// An operation of the forward pass, and not what ends a gradient on purpose or is recorded again from a part.
bool has_rule_of_its_own(const Tape& tape, NodeId id) {
  const Node& node = tape[id];
  return !node.op->is_leaf() && !node.op->replay && !custom_part(tape, id) && node.op->name != "detach" &&
         node.place.phase == Phase::forward;
}

}  // namespace

std::optional<Diagnosis> incomplete_rule(const Tape& tape) {
  std::set<ScopeId> tried;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const CustomPart* custom = custom_part(tape, id);
    if (!custom || !tried.insert(tape[id].place.scope).second) continue;
    std::vector<std::string> right, wrong;
    for (std::size_t k = 0; k < custom->results.size(); ++k) {
      const std::vector<Array> by_hand = of_result(tape, id, k, true), by_part = of_result(tape, id, k, false);
      bool same = true;
      for (std::size_t i = 0; i < by_part.size(); ++i)
        same &= agree(by_hand[i], by_part[i], tape[id].value.dtype == DType::f32 ? 1e-4 : 1e-8, 1e-12);
      const std::string& name = tape.name(tape.inputs(id)[custom->inputs + k]);
      (same ? right : wrong).push_back(name.empty() ? fmt::format("result {}", k) : name);
    }
    if (wrong.empty()) continue;
    const std::string what = fmt::format("the adjoint of {}", fmt::join(wrong, ", "));
    if (right.empty())
      return Diagnosis{
          Cause::wrong_rule,
          fmt::format("a reverse rule that was written by hand is wrong for {}: check it with order 1", what),
          {tape.where(id)}};
    return Diagnosis{
        Cause::wrong_rule,
        fmt::format("a reverse rule that was written by hand is right for the adjoint of {}, but not for that of {}",
                    fmt::join(right, ", "), fmt::join(wrong, ", ")),
        {fmt::format("a rule that reads a result makes second derivatives by it: it must hand back {}, too  {}", what,
                     tape.where(id))}};
  }
  return std::nullopt;
}

bool rules_hold_at_kinks(Tape& tape, NodeId last) {
  if (incomplete_rule(tape)) return false;
  Generator generator(1);
  for (NodeId id = 0; id <= last; ++id) {
    if (!has_rule_of_its_own(tape, id)) continue;
    Alone alone(tape, id, generator);
    const std::vector<Array> reverse = alone.reverse();
    for (std::size_t i = 0; i < alone.operands(); ++i)
      if (alone.operand(i).size() <= most_entries && tape[tape.inputs(id)[i]].tracked &&
          !alone.between_sides(i, reverse[i]))
        return false;
  }
  return true;
}

std::optional<Diagnosis> wrong_rule(Tape& tape, NodeId last) {
  std::set<std::pair<const Op*, ScopeId>> tried;
  Generator generator(1);
  for (NodeId id = 0; id <= last; ++id) {
    const Node& node = tape[id];
    if (!has_rule_of_its_own(tape, id) || !tried.insert({node.op, node.place.scope}).second) continue;
    Alone alone(tape, id, generator);
    const std::vector<Array> reverse = alone.reverse();
    for (std::size_t i = 0; i < alone.operands(); ++i) {
      if (alone.operand(i).size() > most_entries || !tape[tape.inputs(id)[i]].tracked) continue;
      const Array numeric = alone.numeric(i);
      const double floor = 1e-6 * largest_of(alone.operand(i));
      const double tolerance = node.value.dtype == DType::f32 ? 1e-2 : 1e-5;
      if (alone.kink() || agree(reverse[i], numeric, tolerance, floor)) continue;
      return describe(tape, id, i, reverse[i], numeric);
    }
  }
  return std::nullopt;
}

}  // namespace unroll::detail
