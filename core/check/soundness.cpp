#include <unroll/core/check/soundness.hpp>

#include <unroll/core/check/entry_name.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/tape/op.hpp>

#include <cstring>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

bool same_bits(const ArrayView& a, const ArrayView& b) {
  if (a.shape != b.shape || a.dtype != b.dtype) return false;
  const Array x = a.copy(), y = b.copy();
  return x.size() == 0 || std::memcmp(x.data(), y.data(), x.size() * size_of(x.dtype())) == 0;
}

std::string node_name(const Tape& tape, NodeId id) {
  const std::string& name = tape.name(id);
  return name.empty() ? std::string(tape[id].op->name) : fmt::format("{} ({})", tape[id].op->name, name);
}

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
    return fmt::format("{} is the first node with other numbers  {}", node_name(a, id), a.where(id));
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

}  // namespace

std::optional<Diagnosis> unsound(Objective& objective, const std::vector<Array>& gradients) {
  if (auto leaf = nonfinite_leaf(objective.leaves())) return leaf;

  std::vector<Array> before;
  for (const CheckedLeaf& leaf : objective.leaves()) before.push_back(leaf.parameter.value().copy());
  const std::vector<double> first = objective.terms(), second = objective.terms();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Parameter& p = objective.leaves()[i].parameter;
    if (same_bits(p.value(), before[i])) continue;
    Parameter(p).assign(before[i]);
    return Diagnosis{Cause::in_place,
                     fmt::format("the program changes {} as it runs: a gradient is that of fixed leaves", p.name()),
                     {"its elements differ after a run from those before"}};
  }
  if (auto result = nonfinite_result(objective, first, gradients)) return result;

  const auto unequal = [](const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() != b.size() || (!a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) != 0);
  };
  if (unequal(first, second)) {
    double a = 0, b = 0;
    for (const double term : first) a += term;
    for (const double term : second) b += term;
    return Diagnosis{Cause::not_repeatable,
                     fmt::format("the program gives {} and then {} for the same leaves: make it deterministic (a fresh "
                                 "generator in every call; no state that is kept between calls)",
                                 a, b),
                     {first_difference(objective)}};
  }
  const std::vector<Array> again = objective.gradients();
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
