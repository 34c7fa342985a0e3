#pragma once

#include <unroll/core/check/diagnosis.hpp>
#include <unroll/core/check/v_curve.hpp>
#include <unroll/core/tape/tape.hpp>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Is a backward pass right? And where it is not: where, since when, and why. docs/gradient-checking.md says how to choose and how to read.
namespace unroll {

// What the gradients are compared with.
enum class CheckMode {
  entries,     // central differences of fourth order, for every entry of every leaf: 4 runs of the program for each
  directions,  // the same along random directions: 4 runs for each direction, however large the leaf
  forward,  // <u, J v> from forward mode against <J' u, v> from reverse mode: no differences, so nearly exact; detach() ends both, so it is not seen
  extrapolated,  // differences for every entry, extrapolated to step 0 (Ridders 1982): 57 runs for each, and a tighter bound
};
// The name of a mode, as on the command line: "entries".
const char* to_string(CheckMode mode);

// How a check is made.
struct GradcheckOptions {
  CheckMode mode = CheckMode::entries;  // what with
  int order = 1;  // 1 checks the gradient, 2 the gradient of a directional derivative (so the recorded backward pass)
  double tolerance = 0;    // on the relative error; 0: as precision and mode allow (default_tolerance)
  int directions = 3;      // of each leaf, where the mode has directions
  std::uint64_t seed = 0;  // of the random cotangent and directions
  bool diagnose = true;    // on a failure, look for the cause: costs as much again
  bool curve = false;      // the V-curve of the worst entry is wanted even where it is right
  // The gradients under test, where it is not backward() that computes them (a backward pass written out by hand): one array for each
  // leaf, given the cotangent u of the program's result. Not with order 2.
  std::function<std::vector<Array>(const Array& cotangent)> gradients = {};
};

// 1e-6 by differences, 1e-9 extrapolated or in forward mode; 1e-3 (forward mode 1e-4) where a leaf is float32.
double default_tolerance(CheckMode mode, DType dtype);

// What the gradient is taken by: a parameter, an input, an initial state. Axes may have labels, so that an entry reads x[t = 3, batch 0][1] rather
// than x[2, 0, 1]: "t" counts from 1, "batch" from 0, and an axis without a label is an index.
struct CheckedLeaf {
  Parameter parameter;                 // its elements are moved, and put back
  std::vector<std::string> axes = {};  // one label for each axis, or none
};

// What is checked: a program that records itself on the tape it is given, from the leaves (Tape::use), and gives a Var of any shape.
struct CheckedProgram {
  std::function<Var(Tape&)> record;   // gives the result
  std::vector<CheckedLeaf> leaves;    // by which gradients are checked
  std::int64_t steps = 0, batch = 0;  // where there are such things
  // The same with other numbers of steps and sequences, where that can be had: tells a diagnosis from which time step on an error appears.
  std::function<CheckedProgram(std::int64_t steps, std::int64_t batch)> resized = {};
};

// What came out for one leaf: its worst entry, or in directions and forward mode the worst direction (unless the check failed: then there is an entry).
struct GradcheckRow {
  std::string name;                 // of the leaf
  std::vector<std::int64_t> index;  // of the worst entry
  std::string entry;  // in the layer's own terms, "lstm.W_h[gate f][3, 1]"; "lstm.W_h, direction 2" for a direction
  double analytic = 0, numeric = 0;               // the two values of the worst entry
  double absolute_error = 0, relative_error = 0;  // how far they are apart
  std::size_t entries = 0;                        // how many the leaf has
  std::size_t wrong = 0;                          // of the entries (or directions) that were compared
  std::size_t compared = 0;                       // entries, or directions
  std::size_t at_a_kink =
      0;  // entries at which the program has no derivative, and the analytic one lies between those of both sides
  std::size_t in_rounding =
      0;  // entries that agree within the rounding errors of the program, which are above the tolerance there
  bool unused = false;  // the program does not depend on the leaf: a true zero
  bool passed = false;  // whether all is right
};

// What a check found.
struct GradcheckReport {
  bool passed = true;                   // whether every leaf passed
  CheckMode mode = CheckMode::entries;  // as asked for
  int order = 1;                        // as asked for
  DType dtype = DType::f64;             // float32 if any leaf is
  double tolerance = 0;                 // on the relative error, as it was used
  std::vector<GradcheckRow> rows = {};  // one for each leaf
  // Where there are directions: the probability that one percent of a leaf's gradient being wrong (by its norm) goes unnoticed, at most.
  std::optional<double> miss_probability = {};
  std::optional<Diagnosis> diagnosis = {};  // on a failure
  std::optional<VCurve> curve = {};         // of the worst entry, on a failure or where it was asked for
  std::vector<std::string> notes = {};      // on precision, kinks, unused leaves

  // As `passed`.
  explicit operator bool() const { return passed; }
};

// Compares the gradients of a program, from its reverse rules, with differences or with forward mode. The result y of any shape is reduced to a number with a
// random cotangent u, L = sum(u * y) (u = 1 if y is a single number). With order 2, L is the derivative of that number in a random direction.
//
// By differences: D = (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / (12 h), h = 1e-3 (float32: 1/32) times the scale of the entry. Where that disagrees, the step is chosen
// anew, by extrapolating over 28 steps and taking the value that is most certain (V-curve), with the rounding error that it has. The relative error is |a - n| over the largest
// of |a|, |n|, 1 % of the leaf's largest derivative, 1e-5 of the largest of all, and 1e-5 |L| / scale of the entry.
//
// A failure is part of the report, with a diagnosis, and so is a program that cannot be checked because it gives two results for equal leaves, changes them, or gives
// NaN. Throws Error for options that do not fit and for no leaves, TapeError for a program that records elsewhere; whatever the program throws passes through. The
// leaves are afterwards what they were.
// See docs/gradient-checking.md and tutorials/12/README.md.
GradcheckReport gradcheck(const CheckedProgram& program, const GradcheckOptions& options = {});
GradcheckReport gradcheck(const std::function<Var(Tape&)>& program, std::vector<Parameter> parameters,
                          const GradcheckOptions& options = {});

// The same for a function of arrays, which are named x0, x1, ...
// See docs/gradient-checking.md.
GradcheckReport gradcheck(const std::function<Var(std::span<const Var>)>& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options = {});

// How a report is printed.
struct ReportStyle {
  bool colour = false;  // ANSI colours, for a terminal
};

// For people: one line a leaf, with the worst entry and both values; then the notes, and the diagnosis if it failed.
std::string to_string(const GradcheckReport& report, const ReportStyle& style = {});
// So that REQUIRE(gradcheck(...)) of a test framework prints the diagnosis when it fails.
std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

}  // namespace unroll
