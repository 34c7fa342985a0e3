#include <unroll/core/check/gradcheck.hpp>

#include <unroll/core/check/comparison.hpp>
#include <unroll/core/check/diagnose.hpp>
#include <unroll/core/check/entry_name.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/check/kept_leaves.hpp>
#include <unroll/core/check/local_rules.hpp>
#include <unroll/core/check/soundness.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace unroll {

namespace {

using detail::ComparedLeaf;

// Where a program is checked: where its leaves are, or where they were moved to because they stood on kinks.
enum class At { leaves, beside_kinks };
GradcheckReport compare(const CheckedProgram& program, const GradcheckOptions& options, At at);

bool has_directions(CheckMode mode) { return mode == CheckMode::directions || mode == CheckMode::forward; }

void require_sensible(const CheckedProgram& program, const GradcheckOptions& o) {
  if (!program.record) throw Error("gradcheck: no program: CheckedProgram::record is empty");
  if (program.leaves.empty()) throw Error("gradcheck: no leaves: there is nothing to take a gradient by");
  if (o.order != 1 && o.order != 2) throw Error(fmt::format("gradcheck: order {}, expected 1 or 2", o.order));
  if (!(o.tolerance >= 0 && std::isfinite(o.tolerance)))
    throw Error(fmt::format("gradcheck: tolerance {}, expected a number above 0", o.tolerance));
  if (has_directions(o.mode) && o.directions < 1)
    throw Error(fmt::format("gradcheck: {} directions, expected at least 1", o.directions));
  if (o.order == 2 && o.gradients) throw Error("gradcheck: option gradients goes with order 1 only");
}

DType precision(const CheckedProgram& program) {
  for (const CheckedLeaf& leaf : program.leaves)
    if (leaf.parameter.dtype() == DType::f32) return DType::f32;
  return DType::f64;
}

// The leaf with the worst entry: NaN first, then the largest relative error.
std::size_t worst_of(const std::vector<ComparedLeaf>& leaves) {
  const auto weight = [](const GradcheckRow& row) {
    const double error = row.entries == 0 ? -1 : std::isnan(row.relative_error) ? HUGE_VAL : row.relative_error;
    return std::pair(!row.passed, error);
  };
  const auto found = std::max_element(leaves.begin(), leaves.end(), [&](const ComparedLeaf& a, const ComparedLeaf& b) {
    return weight(a.row) < weight(b.row);
  });
  return static_cast<std::size_t>(found - leaves.begin());
}

void name_entries(const CheckedProgram& program, Tape& tape, std::vector<ComparedLeaf>& leaves) {
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    GradcheckRow& row = leaves[i].row;
    if (!row.entry.empty() || row.entries == 0) continue;
    const CheckedLeaf& leaf = program.leaves[i];
    row.entry =
        detail::entry_name(leaf, position_of(leaf.parameter.shape(), row.index), detail::gates_of_columns(tape, leaf));
  }
}

// The curve of the worst entry; where a direction is the worst, of the entry with the largest gradient.
VCurve curve_of_worst(const CheckedProgram& program, detail::Comparison& comparison,
                      const std::vector<ComparedLeaf>& leaves) {
  const std::size_t worst = worst_of(leaves);
  const ComparedLeaf& leaf = leaves[worst];
  const Shape& shape = leaf.analytic.shape();
  std::size_t position = 0;
  std::string entry = leaf.row.entry;
  if (leaf.row.index.size() == shape.rank()) {
    position = position_of(shape, leaf.row.index);
  } else {
    for (std::size_t i = 1; i < leaf.analytic.size(); ++i)
      if (std::abs(leaf.analytic.flat(i)) > std::abs(leaf.analytic.flat(position))) position = i;
    entry = detail::entry_name(program.leaves[worst], position);
  }
  VCurve curve = comparison.curve(worst, position);
  curve.entry = entry;
  return curve;
}

// What detach() cuts off has no tangent either.
bool detaches(const CheckedProgram& program) {
  Tape tape;
  program.record(tape);
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape[id].op->name == "detach" && tape[tape.inputs(id)[0]].tracked) return true;
  return false;
}

// Parameters that the program uses, but that nobody asked about.
void note_left_out(const CheckedProgram& program, const Tape& tape, GradcheckReport& report) {
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape[id].op != &parameter_op()) continue;
    const Parameter& used = *tape.parameter(id);
    const bool asked = std::any_of(program.leaves.begin(), program.leaves.end(),
                                   [&](const CheckedLeaf& leaf) { return leaf.parameter == used; });
    if (!asked)
      report.notes.push_back(fmt::format(
          "the program also uses {}, whose gradient was not checked: it is not among the leaves", used.name()));
  }
}

// Whether a program is right that stands on so many kinks at once (a relu network with all weights 0) that no two sides bound its gradient: if each
// operation's rule holds there by itself, and a little beside, where there are derivatives, the whole program passes.
bool right_beside_kinks(const CheckedProgram& program, const GradcheckOptions& options, Tape& tape,
                        const std::vector<ComparedLeaf>& leaves) {
  const bool only_kinks = std::all_of(leaves.begin(), leaves.end(),
                                      [](const ComparedLeaf& leaf) { return leaf.row.wrong == leaf.wrong_at_kinks; });
  if (!only_kinks || !detail::rules_hold_at_kinks(tape, static_cast<NodeId>(tape.size() - 1))) return false;
  GradcheckOptions beside = options;
  beside.diagnose = beside.curve = false;
  if (options.gradients) {
    // those, too, have to be what the rules give
    beside.gradients = nullptr;
    const std::vector<Array> by_rules = detail::Objective(program, beside).gradients();
    for (std::size_t i = 0; i < leaves.size(); ++i)
      if (!detail::agree(leaves[i].analytic, by_rules[i], 1e-5, 1e-12)) return false;
    beside.gradients = options.gradients;
  }
  const detail::KeptLeaves put_back(program.leaves);
  Generator generator(options.seed);
  for (const CheckedLeaf& leaf : program.leaves) {
    Parameter parameter = leaf.parameter;
    Array moved = parameter.value().copy();
    const double typical = detail::largest_of(moved);
    const Array by = detail::random_like(moved.shape(), DType::f64, generator);
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved.set_flat(i, moved.flat(i) + 0.01 * (typical > 0 ? typical : 1) * by.flat(i));
    parameter.assign(moved);
  }
  return compare(program, beside, At::beside_kinks).passed;
}

void add_notes(GradcheckReport& report, bool beside_kinks) {
  std::size_t kinks = 0, rounding = 0;
  for (const GradcheckRow& row : report.rows) {
    kinks += row.at_a_kink;
    rounding += row.in_rounding;
    if (row.unused)
      report.notes.push_back(
          fmt::format("{}: the result does not depend on it, so its gradient is a true zero", row.name));
  }
  const bool directions = has_directions(report.mode);
  if (report.dtype == DType::f32)
    report.notes.push_back(fmt::format(
        "float32: checked to a relative error of {:g} only; the same program in float64 can be checked to 1e-6",
        report.tolerance));
  if (kinks > 0)
    report.notes.push_back(fmt::format(
        "{} {}", kinks,
        beside_kinks ? "entries lie where kinks meet, as in a relu layer whose weights are all 0, and their two sides "
                       "say nothing: "
                       "each operation's rule holds there by itself, and the whole program passes a little beside"
        : directions ? "directions cross a kink and say nothing"
                     : "entries lie at a kink; their derivatives are between those of its two sides"));
  if (rounding > 0)
    report.notes.push_back(fmt::format(
        "{} entries agree within the rounding errors of the program, which are larger than the tolerance there",
        rounding));
  if (report.miss_probability)
    report.notes.push_back(
        fmt::format("a fault of 1 % of a leaf's gradient goes unnoticed with a probability of {:.1g} at most",
                    *report.miss_probability));
}

}  // namespace

const char* to_string(CheckMode mode) {
  switch (mode) {
    case CheckMode::entries: return "entries";
    case CheckMode::directions: return "directions";
    case CheckMode::forward: return "forward";
    case CheckMode::extrapolated: return "extrapolated";
  }
  return "";
}

double default_tolerance(CheckMode mode, DType dtype) {
  if (dtype == DType::f32) return mode == CheckMode::forward ? 1e-4 : 1e-3;
  return mode == CheckMode::entries || mode == CheckMode::directions ? 1e-6 : 1e-9;
}

namespace {

GradcheckReport compare(const CheckedProgram& program, const GradcheckOptions& options, At at) {
  require_sensible(program, options);
  GradcheckReport report{.mode = options.mode, .order = options.order, .dtype = precision(program)};
  report.tolerance = options.tolerance > 0 ? options.tolerance : default_tolerance(options.mode, report.dtype);
  detail::Objective objective(program, options);
  report.diagnosis = detail::unsound(objective);
  const bool comparable = !report.diagnosis || report.diagnosis->cause == Cause::nonfinite;
  report.passed = !report.diagnosis;
  if (!comparable) return report;
  for (const double term : objective.terms())
    if (!std::isfinite(term)) return report;

  detail::Comparison comparison(objective, options, report.tolerance, objective.gradients());
  std::vector<ComparedLeaf> leaves = comparison.run();
  if (has_directions(options.mode)) report.miss_probability = comparison.miss_probability();
  Tape tape;
  objective.record(tape);
  const bool failed = std::any_of(leaves.begin(), leaves.end(), [](const ComparedLeaf& l) { return !l.row.passed; });
  const bool beside =
      failed && !report.diagnosis && at == At::leaves && right_beside_kinks(program, options, tape, leaves);
  if (beside) leaves = comparison.run_without_kinks();
  name_entries(program, tape, leaves);
  note_left_out(program, tape, report);
  const std::vector<bool> uses = objective.uses();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    GradcheckRow& row = leaves[i].row;
    row.unused = row.passed && row.entries > 0 && !uses[i];
    report.passed &= row.passed;
    report.rows.push_back(row);
  }
  if (!leaves.empty() && leaves[worst_of(leaves)].row.entries > 0 &&
      (options.curve || (!report.passed && options.mode != CheckMode::forward)))
    report.curve = curve_of_worst(program, comparison, leaves);
  if (!report.passed && !report.diagnosis) {
    const VCurve::Verdict verdict = report.curve ? report.curve->verdict : VCurve::Verdict::wrong;
    if (verdict == VCurve::Verdict::kink || verdict == VCurve::Verdict::jump)
      report.diagnosis = Diagnosis{
          Cause::kink,
          fmt::format("{} lies at a kink, and the analytic {:.6g} is not between the derivatives of its two sides",
                      report.curve->entry, report.curve->analytic),
          {explain(*report.curve)}};
    else if (options.diagnose)
      report.diagnosis = detail::diagnose(program, options, leaves);
  }
  add_notes(report, beside);
  if (options.mode == CheckMode::forward && detaches(program))
    report.notes.emplace_back(
        "forward mode ends at detach() as reverse mode does: what is cut off there is not checked");
  return report;
}

}  // namespace

GradcheckReport gradcheck(const CheckedProgram& program, const GradcheckOptions& options) {
  return compare(program, options, At::leaves);
}

GradcheckReport gradcheck(const std::function<Var(Tape&)>& program, std::vector<Parameter> parameters,
                          const GradcheckOptions& options) {
  CheckedProgram checked{.record = program, .leaves = {}};
  for (Parameter& p : parameters) checked.leaves.push_back({std::move(p), {}});
  return gradcheck(checked, options);
}

GradcheckReport gradcheck(const std::function<Var(std::span<const Var>)>& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options) {
  if (!function) throw Error("gradcheck: no function: it is empty");
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < inputs.size(); ++i) parameters.emplace_back(fmt::format("x{}", i), inputs[i]);
  const auto program = [&](Tape& tape) {
    std::vector<Var> x;
    for (const Parameter& p : parameters) x.push_back(tape.use(p));
    return function(x);
  };
  return gradcheck(program, parameters, options);
}

}  // namespace unroll
