#include <unroll/core/render/words.hpp>

#include <unroll/core/render/operation_table.hpp>
#include <unroll/core/render/statistics.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace unroll::drawing {

namespace {

constexpr std::size_t most_numbers = 12, longest_equation = 64;
constexpr const char* longest_number = "-0.00e-00";

}  // namespace

Words::Words(const Tape& tape, const Program& program, const RenderOptions& options, const Rows& rows,
             const Units& units)
    : tape_(tape), program_(program), options_(options), rows_(rows), units_(units) {
  for (const Moment& m : units.moments)
    if (!m.gap && !m.folded) widest_step_ = std::max(widest_step_, fmt::formatted_size("{}", m.first));
}

std::string Words::step_number(std::int32_t step, bool widest) const {
  if (widest) return std::string(widest_step_, '0');
  return fmt::format("{}", step);
}

std::string Words::name(NodeId id, bool widest) const {
  const std::string plain = program_.name(id);
  const std::int32_t step = program_.step(id);
  if (plain.empty() || step == no_step) return plain;
  if (const int moment = units_.moment_of(step); moment != no_moment && units_.moments[moment].folded)
    return plain + "_t";
  return plain + "_" + step_number(step, widest);
}

// The operations that stand together, as one expression: "sigmoid(x_2 W_f + h_1 U_f + b_f)".
std::string Words::equation(const Unit& unit, bool widest) const {
  std::unordered_map<NodeId, Symbol> known;
  for (NodeId id : unit.members) {
    std::vector<Symbol> operands;
    for (NodeId input : tape_.inputs(id)) {
      const auto inside = known.find(input);
      if (inside != known.end()) {
        operands.push_back(inside->second);
      } else {
        const std::string named = program_.is_drawn(input) ? name(input, widest) : "";
        operands.push_back({named.empty() ? program_.reference(input, id) : named});
      }
      operands.back().shape = &tape_[input].value.shape;
    }
    known[id] = formula(*tape_[id].op, operands, tape_[id].attributes);
  }
  const std::string text = known[unit.node].text;
  return text.size() <= longest_equation ? text : fmt::format("{}(…)", tape_[unit.node].op->name);
}

void Words::add_values(Text& text, NodeId id, bool widest) const {
  const ArrayView& value = tape_[id].value;
  const auto note = [&](std::string line) { text.notes.push_back(std::move(line)); };
  if (options_.values == ValueView::none) return;
  const std::string shape = to_string(value.shape);
  // beside what is computed, where there is little of it
  const bool beside = options_.values == ValueView::shapes && !text.notes.empty() && text.notes.back().size() < 12;
  const std::string full = options_.values == ValueView::shapes ? shape : shape + " " + to_string(value.dtype);
  if (beside)
    text.notes.back() += " " + full;
  else
    note(full);
  if (options_.values == ValueView::shapes || value.size() == 0) return;
  const auto written = [&](double x) { return widest ? std::string(longest_number) : number(x); };
  if (options_.values == ValueView::numbers && value.size() <= most_numbers) {
    const std::size_t columns =
        value.shape.rank() == 0 ? 1 : static_cast<std::size_t>(value.shape[value.shape.rank() - 1]);
    for (std::size_t i = 0; i < value.size(); i += columns) {
      std::string row;
      for (std::size_t k = i; k < i + columns; ++k) row += (k == i ? "" : "  ") + written(value.flat(k));
      note(row);
    }
    return;
  }
  const Statistics s = statistics(value);
  note(fmt::format("min {}  max {}", written(s.smallest), written(s.largest)));
  note(fmt::format("mean {}", written(s.mean)));
}

std::string Words::gradient(NodeId id, bool widest) const {
  if (widest) return "∇ 0.0e-00";
  const Var var = tape_.var(id);
  return "∇ " + (options_.gradients->contains(var) ? number(options_.gradients->norm(var)) : std::string("–"));
}

Text Words::text(const Unit& unit, Look look, bool widest) const {
  const NodeId id = unit.node;
  const bool leaf = look == Look::input || look == Look::parameter;
  Text result;
  std::string named = name(id, widest);
  if (leaf && (named.empty() || look == Look::parameter)) named = program_.reference(id, id);
  if (named == "·") named.clear();
  const std::string computed = leaf ? "" : unit.members.size() > 1 ? equation(unit, widest) : program_.expression(id);
  if (options_.label)
    if (std::string other = options_.label(tape_, id); !other.empty()) named = std::move(other);
  result.title = named.empty() ? computed : named;
  if (result.title.empty()) result.title = std::string(tape_[id].op->name);
  if (named.empty()) {
    if (tape_[id].op->name == "matmul" && computed != "matmul" && unit.members.size() == 1)
      result.notes.emplace_back("matmul");
  } else if (!computed.empty()) {
    result.notes.push_back(computed);
  }
  // A whole gate says which.
  if (look == Look::gate)
    if (const ScopeId scope = tape_[id].place.scope;
        scope != 0 && unit.row != no_row && scope != rows_.rows[unit.row].scope)
      result.notes.insert(result.notes.begin(), std::string(tape_.last_part(scope)));
  add_values(result, id, widest);
  const bool folded = unit.moment != no_moment && units_.moments[unit.moment].folded;
  if (options_.gradients && !folded && (look != Look::operation || unit.members.size() > 1))
    result.gradient = gradient(id, widest);
  return result;
}

Text Words::port(NodeId source, bool widest) const {
  const bool parameter = program_.kind(source) == Program::Kind::parameter;
  std::string named = parameter ? "" : name(source, widest);
  if (named.empty()) named = program_.reference(source, source);
  if (named == "·") named = program_.expression(source);
  return {named};
}

Text Words::gap(const Moment& moment, std::int64_t steps) const {
  return {fmt::format("× {}", steps), {fmt::format("t = {} … {}", moment.first, moment.last)}};
}

// From the smallest to the largest of all its steps.
std::string Words::gradients_over_time(const Unit& unit, NodeId state) const {
  double smallest = std::numeric_limits<double>::infinity(), largest = 0;
  for (NodeId id : unit.members) {
    const Var var = tape_.var(id);
    if (tape_[id].name != tape_[state].name || program_.name(id) != program_.name(state) ||
        !options_.gradients->contains(var))
      continue;
    const double norm = options_.gradients->norm(var);
    if (!std::isfinite(norm)) return number(norm);
    smallest = std::min(smallest, norm);
    largest = std::max(largest, norm);
  }
  return smallest > largest ? "–" : fmt::format("{} … {}", number(smallest), number(largest));
}

Text Words::cell(const std::string& layer, const Unit& unit, const std::vector<NodeId>& states, bool widest) const {
  const Moment& moment = units_.moments[unit.moment];
  Text result{layer.empty() ? "step" : layer};
  if (states.empty()) {
    result.notes.push_back(equation(unit, widest));
    add_values(result, unit.node, widest);
    if (options_.gradients && !moment.folded) result.gradient = gradient(unit.node, widest);
    return result;
  }
  std::string given, gradients;
  for (NodeId state : states) {
    given += (given.empty() ? "" : ", ") + name(state, widest);
    if (!options_.gradients) continue;
    const std::string norm = moment.folded ? gradients_over_time(unit, state)
                                           : gradient(state, widest).substr(std::string_view("∇ ").size());
    gradients += (gradients.empty() ? "" : "  ") + fmt::format("∇{} {}", program_.name(state), norm);
  }
  result.notes.push_back(given);
  if (!moment.folded) add_values(result, states.back(), widest);
  result.gradient = gradients;
  return result;
}

std::string Words::tooltip(const Unit& unit) const {
  const std::string named = program_.name(unit.node).empty() ? "" : program_.full_name(unit.node);
  return fmt::format("{}{} {}", named.empty() ? "" : named + " = ", tape_[unit.node].op->name, tape_.where(unit.node));
}

}  // namespace unroll::drawing
