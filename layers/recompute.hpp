#pragma once

#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/state.hpp>

#include <cstdint>
#include <functional>
#include <vector>

// Backpropagation through time that keeps few states and computes the steps between them again: memory for time, with the gradients of full BPTT, to the
// bit. What is stored between the passes are states and outputs; a cell whose output is small (the loss of the step, for example) can run for very long.
namespace unroll {

// Which states are stored, and so how often steps are computed again.
class Recompute {
 public:
  // Those before steps 1, k + 1, 2k + 1, ...: T / k states and k recorded steps at a time; each step but those of the last part is computed twice.
  static Recompute every(std::int64_t k);
  // every(k) with k = the square root of T, rounded up: the least memory that one recomputation gives (Chen et al. 2016).
  static Recompute square_root() { return {Kind::square_root, 0}; }
  // At most `states` stored states, the initial one included, and one recorded step at a time, by the binomial schedule: the least recomputation for that
  // (Griewank and Walther 2000; Gruslys et al. 2016).
  static Recompute revolve(std::int64_t states);

  // The number of steps that are computed a second, third ... time in a forward and backward pass over `steps` steps.
  std::int64_t recomputed_steps(std::int64_t steps) const;

  // A division of the steps [0, steps) that are run with this schedule: the first part, which is not kept, its schedule when it is run again, and
  // that of the rest. Without a first part, all steps are recorded.
  struct Division {
    std::int64_t first = 0;
    std::vector<Recompute> schedules;  // of the first part and of the rest
  };
  Division divide(std::int64_t steps) const;

 private:
  enum class Kind { none, every, square_root, revolve };
  Recompute(Kind kind, std::int64_t number) : kind_(kind), number_(number) {}

  Kind kind_;
  std::int64_t number_;
};

// The least number of steps that must be computed again to go back over `steps` steps with room for `states` states: r l - C(s + r, s + 1), where r is the
// least number with C(s + r, s) >= l (Griewank and Walther 2000).
std::int64_t revolve_steps(std::int64_t steps, std::int64_t states);

namespace detail {

// One step in terms of lists of Vars: the output, then the parts of the next state.
using RecurrenceStep = std::function<std::vector<Var>(std::int64_t t, Var x, std::span<const Var> state)>;
struct Recurrence {
  std::vector<Var> outputs, state;
};
// Runs steps t = first + 1 ... first + xs.size().
Recurrence recompute(const RecurrenceStep& step, std::span<const Var> xs, std::vector<Var> state, std::int64_t first,
                     const Recompute& schedule, const std::vector<Generator*>& generators);

}  // namespace detail

// Unrolls a cell over time and keeps only what the schedule says. The tape keeps a copy of the cell. `generators`: those from which the cell draws.
template <class Cell, class State>
requires CellOf<Cell, State> Sequence<State> over_time(const Cell& cell, const std::vector<Var>& xs, State state,
                                                       const Recompute& schedule,
                                                       const std::vector<Generator*>& generators = {}) {
  const std::vector<Var> initial = state_vars(state);
  const detail::RecurrenceStep step = [cell, state](std::int64_t t, Var x, std::span<const Var> before) {
    const Step at(x.tape(), t);
    auto [output, next] = cell(x, with_vars(state, before));
    std::vector<Var> result{output};
    for (const Var& part : state_vars(next)) result.push_back(part);
    return result;
  };
  const detail::Recurrence run = detail::recompute(step, xs, initial, 0, schedule, generators);
  return {run.outputs, with_vars(std::move(state), run.state)};
}

}  // namespace unroll
