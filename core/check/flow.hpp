#pragma once

#include <unroll/core/check/signal.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the gradient does on its way back through time, read from one tape.
namespace unroll {

// What one gate does over time.
struct GateFlow {
  std::string name;      // as in RecurrenceGate
  bool is_tanh = false;  // its values are from -1 to 1, not from 0 to 1
  // For each step, over batch and units: the mean, and the fraction that is saturated, where the derivative is below a fifth of its largest value:
  // a sigmoid outside of [0.05, 0.95], a tanh beyond +-0.95.
  std::vector<double> mean, saturated;
};

// |contribution to dL/dW| of each time step at which W was used; no_step stands for uses outside of time. The contributions themselves, which add up
// to the gradient, are in Gradients::contribution.
struct ContributionFlow {
  std::string parameter;            // its name
  std::vector<std::int64_t> steps;  // ascending
  std::vector<double> norms;        // one for each step
};

// For a simple recurrence h_t = phi(... + h_(t-1) W + ...): |dh_t/dh_(t-1)| <= sigma_max(W) max|phi'| (Pascanu, Mikolov and Bengio 2013, section 2.1).
struct PascanuBound {
  std::string parameter;  // the name of W
  double gamma = 1;       // the largest derivative that phi can have: 1 for tanh and relu, 1/4 for sigmoid
  double sigma_max = 0;   // the largest singular value of W: below 1/gamma the gradient must vanish
  double spectral_radius =
      0;  // the largest |eigenvalue|, of which the paper speaks; the bound of a single step needs sigma_max
  std::vector<double> step;  // sigma_max times the largest |phi'| that occurs at the step

  // Whether the bound alone says that the gradient vanishes.
  bool must_vanish() const { return sigma_max < 1 / gamma; }
};

// What the gradient does in one recurrent layer.
struct LayerFlow {
  std::string layer;                // its scope: "lstm"
  std::int64_t units = 0;           // of h
  std::vector<std::int32_t> steps;  // in the order of computation, as everything below
  std::vector<double>
      gradient_norm_h;  // |dL/dh_t|: of the whole loss, through all paths; 0 where it does not depend on it
  std::vector<double> gradient_norm_c;  // |dL/dc_t|; empty without a cell state
  BackwardSignal signal;                // of the last step's part of the loss alone
  std::vector<GateFlow> gates;          // in the order of Recurrence::gates
  std::optional<PascanuBound> bound;    // where the layer is a simple recurrence
  std::vector<std::vector<double>>
      singular_values;  // of dh_t/dh_(t-1), largest first; one list for each step but the first; NaN where that is not finite
  std::vector<std::vector<double>> credit;  // |dL_s/dh_t| for every given loss L_s (row) and step t
};

// What gradient_flow() measured.
struct GradientFlow {
  double loss = 0;                              // its value
  std::vector<LayerFlow> layers;                // in the order in which they run
  std::vector<ContributionFlow> contributions;  // in the order of FlowOptions::contributions
};

// What gradient_flow() measures besides the norms, and what costs more.
struct FlowOptions {
  // Parameters whose contributions are wanted: as much memory as steps times parameters.
  std::vector<Parameter> contributions = {};
  // Singular values cost a backward pass through one step for each unit and step. They are those of one sequence of the batch.
  enum class Jacobians {
    none,     // not measured
    of_h,     // of dh_t/dh_(t-1), with c held
    of_state  // of the whole state, (h, c)
  };
  Jacobians jacobians = Jacobians::none;  // which singular values are wanted
  std::int64_t sequence = 0;              // of the batch, from 0
  // The losses of single steps, for the table of credit assignment: a backward pass for each.
  std::vector<Var> step_losses = {};
};

// Measures the flow for a recorded loss; the tape stays as it is. Throws Error if the tape has no recurrent layer (find_recurrences says how one is
// known) or one that is recomputed, or option `sequence` is not in the batch; else as backward() does.
// See docs/gradient-flow.md and tutorials/08/README.md.
GradientFlow gradient_flow(Var loss, const FlowOptions& options = {});

// Mean and saturation of one gate at every step.
GateFlow gate_flow(const RecurrenceGate& gate);
// The bound, if the layer is a simple recurrence: h is the tanh, sigmoid or relu of something in which the state before is multiplied with one parameter,
// whose elements are finite.
std::optional<PascanuBound> pascanu_bound(const Recurrence& layer);
// |dL_s/dh_t| of one layer: a row for each loss, a column for each step; 0 for what comes after s.
std::vector<std::vector<double>> credit_assignment(const std::vector<Var>& losses, const Recurrence& layer);

}  // namespace unroll
