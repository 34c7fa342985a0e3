#include <unroll/core/render/pen.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::drawing {

Pen::Pen(const Tape& tape, const Scene& scene, const Gradients* gradients) : tape_(tape), gradients_(gradients) {
  if (!gradients) return;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (!scene.has_spot(id) || !gradients->contains(tape.var(id))) continue;
    const double n = gradients->norm(tape.var(id));
    if (!(n > 0) || !std::isfinite(n)) continue;
    largest_ = std::max(largest_, n);
    smallest_ = smallest_ == 0 ? n : std::min(smallest_, n);
  }
  if (largest_ == 0) return;
  constexpr double least = 3, most = 12;
  const double decades = std::clamp(std::log10(largest_ / smallest_), least, most);
  smallest_ = largest_ / std::pow(10, decades);
}

Flow Pen::on_scale(double norm) const {
  if (!std::isfinite(norm)) return {Flow::Kind::broken, norm, 1};
  if (norm == 0) return {Flow::Kind::zero, 0, 0};
  if (!(largest_ > smallest_)) return {Flow::Kind::finite, norm, 1};
  const double level = std::log(norm / smallest_) / std::log(largest_ / smallest_);
  return {Flow::Kind::finite, norm, std::clamp(level, 0.0, 1.0)};
}

Flow Pen::at(NodeId node) const {
  if (!gradients_) return {};
  const Var var = tape_.var(node);
  if (!gradients_->contains(var)) return {Flow::Kind::absent};
  return on_scale(gradients_->norm(var));
}

Flow Pen::from(NodeId node, std::int32_t step) const {
  const Flow all = at(node);
  if (all.kind == Flow::Kind::unasked || all.kind == Flow::Kind::absent || !gradients_->has_flows()) return all;
  // Without a measurement of its own: all comes back from its own step, or nothing from this one.
  const auto flow = gradients_->flow(tape_.var(node), step);
  if (!flow && step == tape_[node].place.step) return all;
  return on_scale(flow.value_or(0));
}

std::string Pen::words(const Flow& flow) {
  switch (flow.kind) {
    case Flow::Kind::unasked: return {};
    case Flow::Kind::absent: return "∇ –";
    default: return "∇ " + number(flow.norm);
  }
}

}  // namespace unroll::drawing
