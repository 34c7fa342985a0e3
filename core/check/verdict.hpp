#pragma once

#include <unroll/core/check/flow.hpp>

#include <optional>
#include <string>
#include <vector>

namespace unroll {

// What is to be said of a gradient. From the loss alone, a gradient that vanished cannot be told from one that has done its work: in both cases nothing
// moves any more. The difference is at the output: where the training has converged there is no error left to send back; where the gradient
// vanishes there is one, and it does not arrive. The values go from good to bad.
// See docs/gradient-flow.md.
enum class Verdict {
  converged,  // there is no error left to send back
  healthy,    // the error arrives
  vanishing,  // there is an error, and it does not arrive
  saturated,  // gates or readout let nothing through
  exploding   // it grows beyond bounds, or is no number any more
};

// "converged", "healthy", "vanishing", "saturated" or "exploding".
const char* to_string(Verdict verdict);

// The rules, in this order; the first that holds decides.
//
//   exploding   the loss or a gradient is NaN or infinite
//   converged   the error at the output has fallen to 5 % of that at the beginning, and the loss to 25 %
//   saturated   the error at the output has fallen so, the loss has not: the readout does not let it through
//   exploding   the gradient grows on its way back, to 1000 times what entered at the last step or more
//   saturated   9 of 10 values of the gates are saturated, or half of them and the gradient is lost as below
//   vanishing   nothing of the error enters the layer, or less than 1/1000 (ten halvings) of what entered at the last step arrives at the first; where
//               gradients are cut on their way, at the first before the cut
//   healthy     otherwise
//
// Where the beginning of the training is not known, only an error of exactly 0 counts as fallen.
struct VerdictThresholds {
  double error = 0.05, loss = 0.25;  // converged: as parts of those at the beginning
  double growth = 1000;              // exploding: from so many times what entered
  double arriving = 1e-3;            // vanishing: below this part of what entered
  double saturated_alone = 0.9;      // saturated: from this part of the gates' values
  double saturated_and_lost = 0.5;   // saturated: from this part, where the gradient is lost as well
};

// What the rules look at, for one layer.
struct FlowEvidence {
  std::string layer;                       // its scope
  double loss = 0;                         // of this update
  bool reached = true;                     // as in BackwardSignal
  std::int64_t steps_back = 0;             // from the last step to the first that gradients reach
  std::optional<std::int32_t> cut_before;  // as in BackwardSignal
  double error = 0, entering = 0;          // as in BackwardSignal
  double arriving = 1, growth = 1;         // as multiples of `entering`
  std::optional<double> half_life;         // as in BackwardSignal
  double saturated = 0;                    // of all values of all gates at all steps
};

// Of one layer, from its signal and gates.
FlowEvidence evidence(double loss, const std::string& layer, const BackwardSignal& signal,
                      const std::vector<GateFlow>& gates);
// Of each layer of a flow that was measured.
std::vector<FlowEvidence> evidence(const GradientFlow& flow);
// The same from a recorded loss, without the rest of the flow: cheap enough to be done while a network trains. Throws as gradient_flow() does.
std::vector<FlowEvidence> flow_evidence(Var loss);

// Loss and error before the training (of several layers, the largest error).
struct FlowBeginning {
  double loss = 0, error = 0;  // 0 where they are not known
};
// From what was measured before the first update.
FlowBeginning beginning_of(const std::vector<FlowEvidence>& layers);

// A verdict and its grounds.
struct Judgement {
  Verdict verdict = Verdict::healthy;  // what decided
  // The grounds, one plain sentence each: first what decided, then the other measurements.
  std::vector<std::string> grounds;
};

// The verdict on one layer.
Judgement judge(const FlowEvidence& now, const std::optional<FlowBeginning>& beginning = {},
                const VerdictThresholds& thresholds = {});
// That on a network: the worst of its layers, whose name stands before the grounds where there are several. Layers on which the loss does not depend are
// left out, and named at the end of the grounds. Throws Error if there is no layer, or none on which it depends.
Judgement judge(const std::vector<FlowEvidence>& layers, const std::optional<FlowBeginning>& beginning = {},
                const VerdictThresholds& thresholds = {});

}  // namespace unroll
