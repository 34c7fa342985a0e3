#include <unroll/core/check/flow.hpp>

#include <unroll/core/check/jacobian.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/kernels/linalg.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

template <class Visit> void for_each_element(const ArrayView& array, const Visit& visit) {
  const Array copy = array.copy();  // gates are often slices
  if (copy.dtype() == DType::f32)
    for (const float x : copy.span<float>()) visit(static_cast<double>(x));
  else
    for (const double x : copy.span<double>()) visit(x);
}

bool is_finite(const ArrayView& array) {
  bool finite = true;
  for_each_element(array, [&](double x) { finite &= std::isfinite(x); });
  return finite;
}

std::vector<double> norms(const Gradients& gradients, const std::vector<Var>& nodes) {
  std::vector<double> result;
  for (const Var& node : nodes) result.push_back(gradients.contains(node) ? gradients.norm(node) : 0);
  return result;
}

// Matrix `index` of a (batch, n, m) array.
ArrayView matrix_of(const Array& batch, std::int64_t index) {
  const Shape shape{batch.shape()[1], batch.shape()[2]};
  const auto* first = static_cast<const std::byte*>(batch.data());
  return {batch.dtype(), shape, first + static_cast<std::size_t>(index) * shape.size() * size_of(batch.dtype())};
}

std::vector<std::vector<double>> singular_values_of_steps(const Recurrence& layer, const FlowOptions& options) {
  std::vector<std::vector<double>> all;
  for (std::size_t i = 1; i < layer.h.size(); ++i) {
    if (options.sequence < 0 || options.sequence >= layer.h[i].shape()[0])
      throw Error(fmt::format("gradient_flow: option sequence is {}, expected 0 to {}", options.sequence,
                              layer.h[i].shape()[0] - 1));
    const std::vector<Var> before = layer.state(i - 1), after = layer.state(i);
    const bool whole = options.jacobians == FlowOptions::Jacobians::of_state;
    const Array jacobians =
        whole ? step_jacobian(after, before) : step_jacobian({layer.h[i]}, {layer.h[i - 1]}, before);
    const ArrayView one = matrix_of(jacobians, options.sequence);
    const auto count = static_cast<std::size_t>(std::min(one.shape[0], one.shape[1]));
    all.push_back(is_finite(one) ? kernels::singular_values(one) : std::vector<double>(count, std::nan("")));
  }
  return all;
}

ContributionFlow contribution_flow(const Gradients& gradients, const Parameter& parameter) {
  ContributionFlow flow{.parameter = parameter.name(), .steps = gradients.contribution_steps(parameter), .norms = {}};
  for (const std::int64_t step : flow.steps) flow.norms.push_back(norm(gradients.contribution(parameter, step)));
  return flow;
}

// The parameter with which the state before was multiplied on the way to the state after; nullptr unless there is exactly one.
const Parameter* recurrent_weight(Var before, Var after) {
  const Tape& tape = after.tape();
  const Parameter* weight = nullptr;
  for (NodeId id = before.id() + 1; id <= after.id(); ++id) {
    const auto inputs = tape.inputs(id);
    if (tape[id].op->name != "matmul" && tape[id].op->name != "affine") continue;
    for (std::size_t k = 0; k + 1 < inputs.size(); ++k) {
      if (inputs[k] != before.id()) continue;
      const Parameter* found = tape.parameter(inputs[k + 1]);
      if (!found || (weight && !(*weight == *found))) return nullptr;
      weight = found;
    }
  }
  return weight;
}

}  // namespace

GateFlow gate_flow(const RecurrenceGate& gate) {
  GateFlow flow{.name = gate.name, .is_tanh = gate.is_tanh, .mean = {}, .saturated = {}};
  for (const Var& value : gate.values) {
    double sum = 0, saturated = 0;
    for_each_element(value.value(), [&](double x) {
      sum += x;
      saturated += gate.is_tanh ? std::abs(x) > 0.95 : x < 0.05 || x > 0.95;
    });
    const auto count = static_cast<double>(value.value().size());
    flow.mean.push_back(sum / count);
    flow.saturated.push_back(saturated / count);
  }
  return flow;
}

std::optional<PascanuBound> pascanu_bound(const Recurrence& layer) {
  if (layer.h.size() < 2 || !layer.c.empty()) return std::nullopt;
  const std::string_view phi = layer.h[1].node().op->name;
  if (phi != "tanh" && phi != "sigmoid" && phi != "relu") return std::nullopt;
  const Parameter* W = recurrent_weight(layer.h[0], layer.h[1]);
  if (!W || W->shape().rank() != 2 || W->shape()[0] != W->shape()[1]) return std::nullopt;
  if (!is_finite(W->value())) return std::nullopt;
  PascanuBound bound;
  bound.parameter = W->name();
  if (phi == "sigmoid") bound.gamma = 0.25;
  bound.sigma_max = kernels::singular_values(W->value()).front();
  bound.spectral_radius = kernels::spectral_radius(W->value());
  for (const Var& h : layer.h) {
    double largest = 0;
    for_each_element(h.value(), [&](double y) {
      largest = std::max(largest, phi == "tanh" ? 1 - y * y : phi == "sigmoid" ? y * (1 - y) : y > 0 ? 1.0 : 0.0);
    });
    bound.step.push_back(bound.sigma_max * largest);
  }
  return bound;
}

std::vector<std::vector<double>> credit_assignment(const std::vector<Var>& losses, const Recurrence& layer) {
  std::vector<std::vector<double>> table;
  for (const Var& loss : losses) table.push_back(norms(backward(loss, {.also = layer.h}), layer.h));
  return table;
}

GradientFlow gradient_flow(Var loss, const FlowOptions& options) {
  const std::vector<Recurrence> layers = require_recurrences(loss.tape());
  BackwardOptions sweep{.by_step = options.contributions};
  for (const Recurrence& layer : layers) {
    sweep.also.insert(sweep.also.end(), layer.h.begin(), layer.h.end());
    sweep.also.insert(sweep.also.end(), layer.c.begin(), layer.c.end());
  }
  const Gradients gradients = backward(loss, sweep);
  const std::vector<BackwardSignal> signals = backward_signals(loss, layers);

  GradientFlow flow;
  flow.loss = loss.item();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Recurrence& layer = layers[i];
    LayerFlow own;
    own.layer = layer.layer;
    own.units = layer.h[0].shape()[layer.h[0].shape().rank() - 1];
    own.steps = layer.steps;
    own.gradient_norm_h = norms(gradients, layer.h);
    own.gradient_norm_c = norms(gradients, layer.c);
    own.signal = signals[i];
    for (const RecurrenceGate& gate : layer.gates) own.gates.push_back(gate_flow(gate));
    own.bound = pascanu_bound(layer);
    if (options.jacobians != FlowOptions::Jacobians::none)
      own.singular_values = singular_values_of_steps(layer, options);
    own.credit = credit_assignment(options.step_losses, layer);
    flow.layers.push_back(std::move(own));
  }
  for (const Parameter& p : options.contributions)
    if (gradients.contains(p)) flow.contributions.push_back(contribution_flow(gradients, p));
  return flow;
}

}  // namespace unroll
