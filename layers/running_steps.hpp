#pragma once

#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/state.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

// Sequences of different lengths side by side: which of them run at a step, and what becomes of those that do not.
namespace unroll {

// The mask of sequences that are padded at their ends: (time, batch), 1 at the steps 1 .. length of each. Throws ShapeError, naming the
// sequence, for a length that is not in 1 .. time.
Array length_mask(std::span<const std::int64_t> lengths, std::int64_t time, DType dtype = DType::f64);

// The rows of the batch that run at one step.
class RunningRows {
 public:
  // All of them: everything stays as it is, and nothing is recorded.
  RunningRows() = default;
  // Those where the mask (batch, 1) is 1.
  explicit RunningRows(Var mask) : mask_(mask) {}

  // The same rows of v, and 0 in those that do not run. `where` picks, so that a NaN in the others goes neither forward nor back.
  Var or_zero(Var v) const;
  // The next state, and in rows that do not run the one before; under the names of the next.
  template <class State> State or_before(State next, const State& before) const {
    if (mask_.empty()) return next;
    const std::vector<Var> was = state_vars(before);
    std::vector<Var> vars = state_vars(next);
    if (vars.size() != was.size()) detail::fail_state_parts(vars.size(), was.size());
    for (std::size_t i = 0; i < vars.size(); ++i) vars[i] = chosen(vars[i], was[i]);
    return with_vars(std::move(next), vars);
  }

 private:
  Var chosen(Var next, Var before) const;
  // The mask in a shape that broadcasts to v from axis 0 on.
  Var like(Var v) const;

  Var mask_;
};

// The mask of a whole recurrence, checked.
class RunningSteps {
 public:
  // From a mask (time, batch) or lengths; without both, all run at all steps. Throws Error if both are given, ShapeError if one does not fit the
  // inputs of the steps, xs, each (batch, ...).
  RunningSteps(const std::vector<Var>& xs, const std::optional<Array>& mask, std::span<const std::int64_t> lengths);

  // At step t = 1 .. T; a mask is recorded on the tape of x, in its dtype, unless all run.
  RunningRows at(std::size_t t, Var x) const;

 private:
  std::optional<Array> mask_;
};

}  // namespace unroll
