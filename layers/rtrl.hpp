#pragma once

#include <unroll/core/grad/jvp.hpp>
#include <unroll/layers/state.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// What real-time recurrent learning gives.
struct RtrlResult {
  double loss = 0;               // the sum of the losses of all steps
  std::vector<Array> gradients;  // one for each parameter, in the order asked for
  std::size_t bytes = 0;         // held at the end, by the tape and by the sensitivities: does not depend on T
};

namespace detail {

// What real-time recurrent learning carries from step to step: the state as plain arrays, and its derivative by every entry of every
// parameter. It sees the Vars of a state, not their form.
class Sensitivities {
 public:
  Sensitivities(std::span<const Parameter> parameters, std::span<const Var> initial);

  // The state as constants of a cleared tape.
  std::vector<Var> record(Tape& tape) const;
  // Goes one step on: from `before` (as recorded) to `after`, both on one tape; `loss` of this step may be empty.
  void advance(std::span<const Var> before, std::span<const Var> after, Var loss, std::int64_t t);
  // Throws GradientError if a parameter was used at no step.
  RtrlResult result(const Tape& tape) const;

 private:
  struct Direction {
    Parameter parameter;
    Array entries;  // all 0, but for the one that moves
    Array gradient;
    std::vector<Array> ds;  // for each entry: the derivative of the whole state, one part after the other
    bool used = false;
  };

  void require_same_state(std::span<const Var> after, std::int64_t t) const;

  std::vector<Direction> directions_;
  std::vector<Array> state_;
  std::vector<std::string> names_;
  std::int64_t size_ = 0;  // of the whole state
  double loss_ = 0;
  bool has_loss_ = false;
};

[[noreturn]] void fail_rtrl_without_steps();

}  // namespace detail

// Real-time recurrent learning (Williams and Zipser 1989): the gradient of BPTT, but forward in time. With the state s_t, the derivatives
// ds_t/dw by every single weight w are carried along by forward-mode differentiation (jvp), and the loss of each step is differentiated at once:
//
//   ds_t/dw = (ds_t/ds_(t-1)) ds_(t-1)/dw + (immediate) ds_t/dw        dL/dw = sum over t of (dL_t/ds_t) ds_t/dw + (immediate) dL_t/dw
//
//   const auto initial = [&](Tape& tape) { return lstm.zero_state(tape, 1); };
//   const auto step_loss = [&](Var h, std::int64_t t) { return mean(square(h - h.tape().constant(targets[t - 1]))); };
//   const RtrlResult result = rtrl(lstm, xs, initial, lstm.parameters(), step_loss);   // xs: one array (batch, input) for each step
//
// `initial` records the state before the first step on the tape that it is given, and may use parameters (a learned initial state);
// `step_loss` gives the loss of step t = 1 .. T from the output of the cell (one element), or an empty Var where there is none, and may use
// parameters (a readout). Any cell, any form of state.
//
// No step is kept after it is done, so memory does not grow with T: P N numbers for P weights and N elements of the state. The price is P sweeps
// over each step, so time grows as T P times the cost of a step, against T times the cost of a step in BPTT: with n fully connected units, n^3
// numbers and T n^4 operations against T n numbers and T n^2 operations. For small cells.
//
// Throws Error without parameters or without any loss, ShapeError without steps, for a loss of several elements, or for a state whose form or shapes
// change from step to step, GradientError for a parameter that nothing uses.
// See docs/ways-through-time.md.
template <class Cell, class Initial, class StepLoss>
RtrlResult rtrl(const Cell& cell, std::span<const Array> xs, const Initial& initial,
                std::span<const Parameter> parameters, const StepLoss& step_loss) {
  if (xs.empty()) detail::fail_rtrl_without_steps();
  Tape tape;
  const auto form = [&] {
    const Step step(tape, 0);
    return initial(tape);
  }();
  detail::Sensitivities sensitivities(parameters, state_vars(form));
  for (std::size_t i = 0; i < xs.size(); ++i) {
    tape.clear();
    const std::vector<Var> before = sensitivities.record(tape);
    const auto t = static_cast<std::int64_t>(i + 1);
    const Step step(tape, t);
    const Var x = tape.constant(xs[i], "x");
    const auto [output, next] = cell(x, with_vars(form, before));
    const Var loss = step_loss(output, t);
    sensitivities.advance(before, state_vars(next), loss, t);
  }
  return sensitivities.result(tape);
}

}  // namespace unroll
