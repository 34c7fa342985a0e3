#pragma once

#include <unroll/core/grad/checkpoint.hpp>

#include <cstdint>
#include <functional>
#include <vector>

// Recomputation: over_time(cell, xs, state, {.recompute = Recompute::square_root()}). Backpropagation through time that keeps few states and computes the steps between them again: memory for time, with the gradients of full BPTT, to the
// bit (a state part that hands on the Var of an earlier step may differ in rounding). What is stored between the passes are states and outputs, of one
// dtype. Outputs are stored once more for each level of repetition, so a schedule of few states saves memory only where they are small: the loss of
// the step, for example. A cell must give everything as its output or state: Vars that it hands out in another way are gone.
namespace unroll {

// Which states are stored, and so how often steps are computed again.
// See docs/ways-through-time.md and tutorials/15/README.md.
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
    std::int64_t first = 0;            // the number of steps in the first part
    std::vector<Recompute> schedules;  // of the first part and of the rest
  };
  // How so many steps are divided.
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

// The step at a position 0, 1, ... of a recurrence in terms of lists of Vars: the output, then the parts of the next state. The tape keeps a copy.
using RecurrenceStep = std::function<std::vector<Var>(std::size_t position, Var x, std::span<const Var> state)>;
struct Recurrence {
  std::vector<Var> outputs, state;
};
// Runs the steps from position `first` on, one for each x, and keeps what the schedule says.
Recurrence recompute(const RecurrenceStep& step, std::span<const Var> xs, std::vector<Var> state, std::size_t first,
                     const Recompute& schedule, const std::vector<Generator*>& generators);

}  // namespace detail

}  // namespace unroll
