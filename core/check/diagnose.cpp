#include <unroll/core/check/diagnose.hpp>

#include <unroll/core/check/faults.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/check/kept_leaves.hpp>
#include <unroll/core/check/local_rules.hpp>
#include <unroll/core/check/patterns.hpp>
#include <unroll/core/check/program_map.hpp>
#include <unroll/core/check/reverse_walk.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll::detail {

namespace {

// The program on which faults are tried: as many sequences that the batch is mistaken neither for the steps nor for a factor of 2.
constexpr std::int64_t few_steps = 3, few_sequences = 5;
constexpr std::int64_t steps_one_by_one = 6;
constexpr std::size_t places_shown = 3;
constexpr double affordable = 1.5e9;  // what all faults that are tried may cost, in elements: some seconds

using Gradient = std::vector<Array>;  // one array a leaf

// A number that two places may have by chance, such as 0.5: it has few digits.
bool common(double x) { return static_cast<double>(static_cast<float>(x)) == x; }

// The constants of a tape that hold the numbers of an earlier node which depends on the leaves.
std::unordered_map<NodeId, NodeId> copies_of_nodes(const Tape& tape, const ReverseWalk& walk) {
  std::unordered_map<NodeId, NodeId> copies;
  std::map<std::pair<std::size_t, double>, std::vector<NodeId>> alike;  // nodes by size and first element
  for (NodeId id = 0; id < tape.size(); ++id) {
    const ArrayView& value = tape[id].value;
    if (value.size() == 0 || std::isnan(value.flat(0)) || (value.size() == 1 && common(value.flat(0)))) continue;
    std::vector<NodeId>& candidates = alike[{value.size(), value.flat(0)}];
    if (walk.depends(id)) candidates.push_back(id);
    if (tape[id].op != &constant_op() || largest_of(value.copy()) == 0) continue;
    const auto same = std::find_if(candidates.rbegin(), candidates.rend(),
                                   [&](NodeId node) { return same_bits(tape[node].value, value); });
    if (same != candidates.rend()) copies[id] = *same;
  }
  return copies;
}

using LeafSet = std::uint64_t;  // bit i for leaf i
constexpr std::size_t most_leaves = 64;

// Which of the leaves each node is made from.
std::vector<LeafSet> made_from(const Tape& tape, const std::vector<NodeId>& leaves) {
  std::vector<LeafSet> result(tape.size());
  for (std::size_t i = 0; i < std::min(leaves.size(), most_leaves); ++i)
    if (leaves[i] != no_node) result[leaves[i]] = LeafSet{1} << i;
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId input : tape.inputs(id)) result[id] |= result[input];
  return result;
}

// A program recorded once, to take its gradient in several ways.
class Specimen {
 public:
  Specimen(const CheckedProgram& program, const GradcheckOptions& options)
      : program_(program),
        objective_(program_, options),
        loss_(objective_.record(tape_)),
        reverse_(objective_.gradients()) {
    for (const CheckedLeaf& leaf : program_.leaves) leaves_.push_back(tape_.find(leaf.parameter));
    for (NodeId leaf : leaves_)
      if (leaf != no_node) present_.push_back(leaf);
  }

  Tape& tape() { return tape_; }
  const CheckedProgram& program() const { return program_; }
  NodeId loss() const { return loss_.id(); }
  const std::vector<NodeId>& leaves() const { return leaves_; }  // no_node where the program does not use one
  const std::vector<NodeId>& present() const { return present_; }
  // What is under test.
  const Gradient& reverse() const { return reverse_; }
  // By the operations behind hand-written rules; through detach() and copies, or not; with a fault, or without.
  Gradient walk(const ReverseWalk::Options& options, const EdgeHook& hook = {}) {
    ReverseWalk walk(tape_, present_, options);
    return spread_out(walk.gradients(loss_.id(), Array::filled(loss_.shape(), 1, loss_.dtype()), hook));
  }
  Gradient walk(ReverseWalk& walk, const EdgeHook& hook) {
    return spread_out(walk.gradients(loss_.id(), Array::filled(loss_.shape(), 1, loss_.dtype()), hook));
  }

 private:
  // Zeros for leaves that are not on the tape.
  Gradient spread_out(Gradient found) const {
    Gradient result;
    std::size_t next = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i)
      result.push_back(leaves_[i] == no_node ? Array(program_.leaves[i].parameter.shape(), DType::f64) : found[next++]);
    return result;
  }

  CheckedProgram program_;
  Tape tape_;
  Objective objective_;
  Var loss_;
  std::vector<NodeId> leaves_, present_;
  Gradient reverse_;
};

class Diagnosing {
 public:
  Diagnosing(const CheckedProgram& program, const GradcheckOptions& options, const std::vector<ComparedLeaf>& leaves)
      : program_(program), options_(options), leaves_(leaves) {
    for (const CheckedLeaf& leaf : program.leaves)
      if (leaf.parameter.dtype() == DType::f32) tolerance_ = 1e-3;
  }

  Diagnosis run() {
    Diagnosis result = cause();
    if (options_.order == 1) time_and_batch(result);
    which(result);
    return result;
  }

 private:
  // The entries that were compared by differences.
  bool agrees_with_differences(const Gradient& gradient) const {
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const double scale = std::max(largest_of(gradient[i]), 1e-3 * largest_);
      for (std::size_t k = 0; k < gradient[i].size(); ++k)
        if (const double n = leaves_[i].numeric.flat(k);
            !std::isnan(n) && std::abs(gradient[i].flat(k) - n) > std::max(1e-4, tolerance_) * scale)
          return false;
    }
    return true;
  }

  static double largest_of_all(const Gradient& gradient) {
    double largest = 0;
    for (const Array& x : gradient) largest = std::max(largest, largest_of(x));
    return largest;
  }

  static bool same(const Gradient& a, const Gradient& b, double tolerance) {
    const double largest = largest_of_all(a);
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!agree(a[i], b[i], tolerance, 1e-6 * largest)) return false;
    return true;
  }

  // An initial state has a batch, but no time.
  static bool is_initial_state(const CheckedLeaf& leaf) { return !leaf.axes.empty() && leaf.axes[0] == "batch"; }

  Diagnosis cause() {
    for (const ComparedLeaf& leaf : leaves_) largest_ = std::max(largest_, largest_of(leaf.analytic));
    Specimen full(program_, options_);
    // Without hand-written rules and cuts, is it right?
    ReverseWalk plain(full.tape(), full.present());
    const auto copies = copies_of_nodes(full.tape(), plain);
    Gradient right = full.walk({.through_detach = true, .copies = {}});
    bool explained = agrees_with_differences(right);
    if (!explained && !copies.empty()) {
      right = full.walk({.through_detach = true, .copies = copies});
      explained = agrees_with_differences(right);
    }
    if (!explained) {
      if (auto rule = wrong_rule(full.tape(), full.loss())) return *rule;
      if (auto outside = computed_outside(full)) return *outside;
      return {
          Cause::unknown,
          "no operation's own rule is wrong by itself, and the operations together do not give what differences give",
          {}};
    }
    if (same(analytic(), right, tolerance_) && options_.order == 1)
      return {
          Cause::precision,
          "the gradients are those that the operations give, to rounding: the tolerance asks for more than can be told",
          {}};
    if (auto cut = detached(full, copies)) return *cut;
    if (options_.order == 2) {
      Tape first;
      program_.record(first);
      if (auto rule = incomplete_rule(first)) return *rule;
      return {Cause::unknown,
              "the recorded backward pass is wrong, and the rules of all operations, differentiated again, are right",
              {}};
    }
    if (auto seen = plain_patterns(right)) return *seen;
    if (std::all_of(leaves_.begin(), leaves_.end(),
                    [](const ComparedLeaf& leaf) { return largest_of(leaf.analytic) == 0; }))
      return {Cause::gate_term, "no gradient comes back at all: it is zero by every leaf", {}};
    if (auto fault = single_fault()) return *fault;
    Diagnosis result{
        Cause::unknown,
        "the operations are right, but the reverse rule or gradient that was written by hand is not; no single "
        "fault that was tried explains it",
        {fmt::format("{} single faults were tried{}", tried_,
                     tried_all_ ? "" : ", and there are more: a smaller program can be searched further"),
         "more can be tried where gates and states have names: .named(\"f\"), .named(\"h\")"}};
    if (const std::string wrong = wrong_in_one_step(); !wrong.empty()) result.evidence.push_back(wrong);
    return result;
  }

  // Constants that change when the leaves do: the program computed them from numbers, beside the tape.
  std::optional<Diagnosis> computed_outside(Specimen& full) const {
    const std::vector<NodeId> changing = changing_constants(full.tape());
    if (changing.empty()) return std::nullopt;
    const Tape& tape = full.tape();
    const std::string next = ProgramMap(full.tape(), ReverseWalk(full.tape(), full.present())).next_name(changing[0]);
    Diagnosis result{
        Cause::detached,
        fmt::format("a constant{} changes when the leaves do: it is computed from numbers, beside the tape, and no "
                    "gradient flows back there",
                    next.empty() ? "" : fmt::format(" on the way to {}", next)),
        {}};
    for (std::size_t i = 0; i < std::min(places_shown, changing.size()); ++i)
      result.evidence.push_back(fmt::format("{}  {}", title(tape, changing[i]), tape.where(changing[i])));
    if (changing.size() > places_shown)
      result.evidence.push_back(fmt::format("and {} more", changing.size() - places_shown));
    return result;
  }

  std::vector<NodeId> changing_constants(const Tape& before) const {
    const KeptLeaves kept(program_.leaves);
    Generator generator(options_.seed);
    for (const CheckedLeaf& leaf : program_.leaves) {
      Array& value = Parameter(leaf.parameter).mutable_value();
      for (std::size_t i = 0; i < value.size(); ++i)
        value.set_flat(i, value.flat(i) + generator.uniform(-0.01, 0.01) * std::max(std::abs(value.flat(i)), 1e-3));
    }
    Tape after;
    Objective(program_, options_).record(after);
    std::vector<NodeId> result;
    for (NodeId id = 0; id < std::min(before.size(), after.size()); ++id)
      if (before[id].op == &constant_op() && after[id].op == &constant_op() &&
          !same_bits(before[id].value, after[id].value))
        result.push_back(id);
    return result;
  }

  // The program with its cuts is what is under test, and without them it is right.
  std::optional<Diagnosis> detached(Specimen& full, const std::unordered_map<NodeId, NodeId>& copies) {
    if (options_.gradients || !same(full.walk({.through_detach = false, .copies = {}}), full.reverse(), tolerance_))
      return std::nullopt;
    Diagnosis result{Cause::detached, "", {}};
    std::vector<std::string> places;
    Tape& tape = full.tape();
    for (const auto& through_copies : {false, true}) {
      for (NodeId id = 0; id < full.loss(); ++id) {
        const bool cut = through_copies ? copies.contains(id) : tape[id].op->name == "detach";
        if (!cut) continue;
        const NodeId source = through_copies ? copies.at(id) : tape.inputs(id)[0];
        const std::string name = tape.name(source).empty() ? std::string(tape[source].op->name) : tape.name(source);
        places.push_back(through_copies ? fmt::format("a constant holds the numbers of {}  {}", name, tape.where(id))
                                        : fmt::format("detach() of {}  {}", name, tape.where(id)));
        if (result.summary.empty()) {
          const std::string next = ProgramMap(tape, ReverseWalk(tape, full.present())).next_name(id);
          const std::string way = next.empty() ? "" : fmt::format(" on its way to {}", next);
          result.summary =
              through_copies
                  ? fmt::format("{} is recorded again as a constant, by its numbers,{}: no gradient flows back there",
                                name, way)
                  : fmt::format("{} is cut off the tape by detach(){}: no gradient flows back there", name, way);
        }
      }
    }
    if (places.empty()) return std::nullopt;
    result.evidence.emplace_back("with the gradient let through there, all derivatives agree with the differences");
    for (std::size_t i = 0; i < std::min(places_shown, places.size()); ++i) result.evidence.push_back(places[i]);
    if (places.size() > places_shown)
      result.evidence.push_back(fmt::format("and {} more", places.size() - places_shown));
    return result;
  }

  // What the gradient of a whole leaf shows.
  std::optional<Diagnosis> plain_patterns(const Gradient& right) const {
    std::vector<Pattern> patterns;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      if (leaves_[i].row.passed) continue;
      const CheckedLeaf& leaf = program_.leaves[i];
      const bool time_axis = !leaf.axes.empty() && leaf.axes[0] == "t";
      const auto found = pattern(leaf.parameter.name(), leaves_[i].analytic, right[i], std::max(1e-6, tolerance_),
                                 program_.steps, program_.batch, time_axis);
      // zero is what several causes have in common: the search tells them apart
      if (!found || found->factor == 0) return std::nullopt;
      patterns.push_back(*found);
    }
    if (patterns.empty()) return std::nullopt;
    for (const Pattern& p : patterns)
      if (p.cause != patterns[0].cause || std::abs(p.factor - patterns[0].factor) > 1e-4 * std::abs(p.factor))
        return std::nullopt;
    Diagnosis result{patterns[0].cause, patterns[0].words, {}};
    for (std::size_t i = 1; i < patterns.size(); ++i) result.evidence.push_back(patterns[i].words);
    return result;
  }

  // None of them, where there are too many to be told apart.
  LeafSet wrong_leaves(const Gradient& gradient, const Gradient& right) const {
    LeafSet result = 0;
    if (gradient.size() > most_leaves) return result;
    for (std::size_t i = 0; i < gradient.size(); ++i)
      if (!agree(gradient[i], right[i], tolerance_, 1e-6 * largest_of_all(gradient))) result |= LeafSet{1} << i;
    return result;
  }

  // Whether the program can be run, as it is under test, with other numbers of steps and sequences.
  bool resizable() const { return program_.resized && !options_.gradients; }

  // The same program small enough to try every single fault on it, if it is wrong as well.
  std::optional<CheckedProgram> small() const {
    if (!resizable()) return std::nullopt;
    const std::int64_t few = std::min(program_.steps, few_steps), fewest = fewest_steps_wrong();
    const std::int64_t steps = fewest > program_.steps ? few : std::max(few, fewest);
    const std::int64_t batch = program_.batch == 1 ? 1 : few_sequences;
    return right_at(steps, batch) ? std::nullopt : std::optional(program_.resized(steps, batch));
  }

  // Whether the gradients are right with other numbers of steps and sequences; those by the initial state, too, or the others alone.
  bool right_at(std::int64_t steps, std::int64_t batch, bool with_initial_state = true) const {
    Specimen specimen(program_.resized(steps, batch), options_);
    ReverseWalk plain(specimen.tape(), specimen.present());
    Gradient under_test = specimen.reverse();
    Gradient right = specimen.walk({.through_detach = true, .copies = copies_of_nodes(specimen.tape(), plain)});
    for (std::size_t i = program_.leaves.size(); i-- > 0 && !with_initial_state;)
      if (is_initial_state(program_.leaves[i])) under_test[i] = right[i];
    return same(under_test, right, std::max(1e-6, tolerance_));
  }

  // With how many steps the gradients, but those by the initial state, begin to be wrong; more than there are if they are not.
  std::int64_t fewest_steps_wrong() const {
    std::int64_t right = 0, wrong = program_.steps;
    while (right < std::min(wrong, steps_one_by_one)) {
      if (!right_at(right + 1, program_.batch, false)) return right + 1;
      ++right;
    }
    if (right == wrong || right_at(wrong, program_.batch, false)) return program_.steps + 1;
    while (wrong - right > 1) {
      const std::int64_t middle = right + (wrong - right) / 2;
      (right_at(middle, program_.batch, false) ? right : wrong) = middle;
    }
    return wrong;
  }

  std::optional<Diagnosis> single_fault() {
    const std::optional<CheckedProgram> smaller = small();
    Specimen specimen(smaller ? *smaller : program_, options_);
    const auto most = static_cast<std::size_t>(affordable / cost(specimen.tape()));
    const Gradient& wanted = smaller ? specimen.reverse() : analytic();
    ReverseWalk walk(specimen.tape(), specimen.present());
    const CheckedProgram& checked = specimen.program();
    std::vector<Fault> faults = single_faults(specimen.tape(), walk, specimen.present(), checked.steps, checked.batch);
    // a fault can make wrong only what its edges lead back to
    const std::vector<LeafSet> from = made_from(specimen.tape(), specimen.leaves());
    const LeafSet wrong = wrong_leaves(wanted, specimen.walk(walk, {}));
    const auto reaches = [&](const Fault& fault) {
      LeafSet result = 0;
      for (const auto& [node, input] : fault.edges) result |= from[specimen.tape().inputs(node)[input]];
      return result;
    };
    if (faults.size() > most)
      std::stable_partition(faults.begin(), faults.end(), [&](const Fault& fault) { return reaches(fault) == wrong; });
    std::size_t walks = 0;
    for (const Fault& fault : faults) {
      if (walks == most) {
        tried_all_ = false;
        break;
      }
      ++tried_;
      if ((wrong & ~reaches(fault)) != 0) continue;
      ++walks;
      try {
        if (!same(wanted, specimen.walk(walk, fault.hook), tolerance_)) continue;
      } catch (const ShapeError&) { continue; }  // a fault whose shapes do not fit was not made
      Diagnosis result{fault.cause, fault.words, {}};
      const std::string others =
          tried_ == 1 ? "the first fault that was tried" : fmt::format("{} other faults do not fit", tried_ - 1);
      result.evidence.push_back(
          fmt::format("with this one fault in the backward pass of the recorded operations, all gradients come out as "
                      "they are ({})",
                      others));
      return result;
    }
    return std::nullopt;
  }

  const Gradient& analytic() {
    if (analytic_.empty())
      for (const ComparedLeaf& leaf : leaves_) analytic_.push_back(leaf.analytic);
    return analytic_;
  }

  // From which number of steps on it is wrong, and of sequences.
  void time_and_batch(Diagnosis& diagnosis) const {
    if (!resizable() || diagnosis.cause == Cause::precision) return;
    const std::int64_t steps = fewest_steps_wrong();
    const bool initial_wrong = !right_at(1, program_.batch);
    const char* but = steps > 1 && initial_wrong ? "; by the initial state it is wrong for T = 1 already" : "";
    if (program_.steps > 1 && steps <= program_.steps)
      diagnosis.evidence.push_back(
          steps == 1 ? "wrong from the first time step on (already for T = 1)"
                     : fmt::format("right for T = {}, wrong from T = {} on{}", steps - 1, steps, but));
    else if (initial_wrong)
      diagnosis.evidence.emplace_back("right for any number of steps; only the gradient by the initial state is wrong");
    if (program_.batch > 1 && right_at(program_.steps, 1))
      diagnosis.evidence.emplace_back("right for one sequence, wrong for two");
  }

  // What is wrong already for one step of one sequence, where that can be had: the smallest program to look into.
  std::string wrong_in_one_step() const {
    if (!resizable()) return {};
    Specimen specimen(program_.resized(1, 1), options_);
    const Gradient right = specimen.walk({.through_detach = true, .copies = {}});
    std::vector<std::string> wrong;
    for (std::size_t i = 0; i < right.size(); ++i)
      if (!agree(specimen.reverse()[i], right[i], std::max(1e-6, tolerance_)))
        wrong.push_back(program_.leaves[i].parameter.name());
    return wrong.empty() ? std::string()
                         : fmt::format("wrong for one step of one sequence already: {}", fmt::join(wrong, ", "));
  }

  // Which leaves are right.
  void which(Diagnosis& diagnosis) const {
    std::vector<std::string> right, wrong;
    for (const ComparedLeaf& leaf : leaves_) (leaf.row.passed ? right : wrong).push_back(leaf.row.name);
    if (!right.empty())
      diagnosis.evidence.push_back(fmt::format("wrong: {}; right: {}", fmt::join(wrong, ", "), fmt::join(right, ", ")));
  }

  const CheckedProgram& program_;
  const GradcheckOptions& options_;
  const std::vector<ComparedLeaf>& leaves_;
  Gradient analytic_;
  double tolerance_ = 1e-7, largest_ = 0;
  std::size_t tried_ = 0;
  bool tried_all_ = true;
};

}  // namespace

Diagnosis diagnose(const CheckedProgram& program, const GradcheckOptions& options,
                   const std::vector<ComparedLeaf>& leaves) {
  return Diagnosing(program, options, leaves).run();
}

}  // namespace unroll::detail
