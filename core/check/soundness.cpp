#include <unroll/core/check/soundness.hpp>

#include <unroll/core/check/entry_name.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/check/kept_leaves.hpp>
#include <unroll/core/check/patterns.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/core/tape/recorded_call.hpp>

#include <cmath>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

// The first node at which two recordings of one program part, and how.
std::string first_difference(Objective& objective) {
  Tape a, b;
  objective.record(a);
  objective.record(b);
  for (NodeId id = 0; id < std::min(a.size(), b.size()); ++id) {
    if (a[id].op != b[id].op)
      return fmt::format("the second run records {} where the first recorded {}  {}", b[id].op->name, a[id].op->name,
                         a.where(id));
    if (same_bits(a[id].value, b[id].value)) continue;
    return fmt::format("{} is the first node with other numbers  {}", title(a, id), a.where(id));
  }
  if (a.size() != b.size()) return fmt::format("one run records {} nodes, another {}", a.size(), b.size());
  return {};
}

std::optional<Diagnosis> nonfinite_leaf(const std::vector<CheckedLeaf>& leaves) {
  for (const CheckedLeaf& leaf : leaves)
    if (const auto position = nonfinite_position(leaf.parameter.value()))
      return Diagnosis{Cause::nonfinite,
                       fmt::format("{} is {} before anything is computed: give it a number",
                                   entry_name(leaf, *position), leaf.parameter.value().flat(*position)),
                       {}};
  return std::nullopt;
}

std::optional<Diagnosis> nonfinite_result(Objective& objective, const std::vector<double>& terms,
                                          const std::vector<Array>& gradients) {
  bool found = false;
  for (const double term : terms) found |= !std::isfinite(term);
  for (const Array& gradient : gradients) found |= nonfinite_position(gradient).has_value();
  if (!found) return std::nullopt;
  Tape tape;
  const Var loss = objective.record(tape);
  const std::optional<NonFinite> source = first_nonfinite(loss);
  return Diagnosis{Cause::nonfinite,
                   source ? source->message : "the gradients that were given are not all finite, but the program is",
                   {}};
}

std::optional<Diagnosis> not_repeatable(Objective& objective, const std::vector<double>& first,
                                        const std::vector<double>& second) {
  if (first.size() == second.size() &&
      (first.empty() || std::memcmp(first.data(), second.data(), first.size() * sizeof(double)) == 0))
    return std::nullopt;
  const double a = std::accumulate(first.begin(), first.end(), 0.0),
               b = std::accumulate(second.begin(), second.end(), 0.0);
  return Diagnosis{Cause::not_repeatable,
                   fmt::format("the program gives {} and then {} for the same leaves: make it deterministic (a fresh "
                               "generator in every call; no "
                               "state that is kept between calls)",
                               a, b),
                   {first_difference(objective)}};
}

// A node whose operation, asked again, gives other numbers than it gave: its operands were overwritten in between.
std::optional<Diagnosis> overwritten(Objective& objective) {
  Tape tape;
  const Var loss = objective.record(tape);
  for (NodeId id = 0; id <= loss.id(); ++id) {
    const Node& node = tape[id];
    if (node.op->is_leaf() || node.op->replay || node.op->view) continue;
    const RecordedCall call(tape, id);
    Array again(node.value.shape, node.value.dtype);
    if (again.size() > 0) evaluate(*node.op, *call, node.value.shape, node.value.dtype, again.data(), false);
    if (same_bits(again, node.value)) continue;
    return Diagnosis{
        Cause::in_place,
        fmt::format(
            "an operand of {} was overwritten after it was used: the way back sees other numbers than the way forward",
            title(tape, id)),
        {fmt::format("the operation, asked again, gives another result  {}", tape.where(id)),
         "an Array shares its memory when it is copied: give the tape a copy() of what changes"}};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Diagnosis> unsound(Objective& objective) {
  if (auto leaf = nonfinite_leaf(objective.leaves())) return leaf;

  const KeptLeaves kept(objective.leaves());
  const std::vector<double> first = objective.terms(), second = objective.terms();
  if (const Parameter* changed = kept.changed())
    return Diagnosis{
        Cause::in_place,
        fmt::format("the program changes {} as it runs: a gradient is that of fixed leaves", changed->name()),
        {"its elements differ after a run from those before"}};
  if (auto found = not_repeatable(objective, first, second)) return found;
  if (auto found = overwritten(objective)) return found;
  const std::vector<Array> gradients = objective.gradients(), again = objective.gradients();
  if (auto found = nonfinite_result(objective, first, gradients)) return found;
  for (std::size_t i = 0; i < again.size(); ++i)
    if (!same_bits(again[i], gradients[i]))
      return Diagnosis{Cause::not_repeatable,
                       fmt::format("two backward passes on the same leaves give two gradients by {}: a reverse rule "
                                   "draws random numbers, or keeps something between calls",
                                   objective.leaves()[i].parameter.name()),
                       {"the results of the program are equal both times"}};
  return std::nullopt;
}

}  // namespace unroll::detail
