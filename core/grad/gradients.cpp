#include <unroll/core/grad/gradients.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace unroll {

Gradients::Gradients(Tape& tape, bool all)
    : pool_(tape.pool()), life_(tape.life()), generation_(life_->generation), all_(all) {}

Gradients::~Gradients() { release(); }

Gradients& Gradients::operator=(Gradients&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::move(other.pool_);
  life_ = other.life_;
  generation_ = other.generation_;
  all_ = other.all_;
  entries_ = std::move(other.entries_);
  by_parameter_ = std::move(other.by_parameter_);
  by_step_ = std::move(other.by_step_);
  flows_ = std::move(other.flows_);
  return *this;
}

void Gradients::release() {
  const auto give = [&](const Entry& entry) {
    if (entry.data) pool_->give(entry.data, entry.value.size() * size_of(entry.value.dtype));
  };
  for (const Entry& entry : entries_) give(entry);
  for (const auto& [parameter, steps] : by_step_)
    for (const auto& [step, entry] : steps) give(entry);
  entries_.clear();
  by_step_.clear();
}

void Gradients::add(Entry entry, const Parameter* parameter) {
  if (parameter) by_parameter_.emplace(parameter->identity(), ParameterEntry{*parameter, entries_.size()});
  entries_.push_back(std::move(entry));
}

void Gradients::add_contribution(const Parameter& parameter, std::int64_t step, Entry entry) {
  by_step_[parameter.identity()].emplace(step, std::move(entry));
}

void Gradients::set_flows(const Tape& tape, Flows flows) {
  std::erase_if(flows, [&](const auto& flow) {
    const auto& [id, norms] = flow;
    return norms.size() == 1 && norms.begin()->first == tape[id].place.step;
  });
  flows_ = std::move(flows);
}

void Gradients::require_of_this_recording(const Var& x) const {
  const Tape& tape = x.tape();
  if (tape.life() != life_ || life_->generation != generation_)
    throw TapeError(fmt::format("gradients were asked about a Var of another recording {}", tape.where(x.id())));
}

const Gradients::Entry* Gradients::find(const Var& x) const {
  require_of_this_recording(x);
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), x.id(), [](const Entry& e, NodeId id) { return e.node > id; });
  return found != entries_.end() && found->node == x.id() ? &*found : nullptr;
}

ArrayView Gradients::operator[](const Var& x) const {
  if (const Entry* entry = find(x)) return entry->value;
  const Node& node = x.node();
  const Tape& tape = x.tape();
  const std::string what = fmt::format("no gradient was computed for {} {}",
                                       tape.name(x.id()).empty() ? "this node" : tape.name(x.id()), tape.where(x.id()));
  if (!node.tracked) throw GradientError(what + ": it is a constant, or depends on no input or parameter");
  if (node.input_count > 0 && !all_)
    throw GradientError(what +
                        ": only leaves are kept; backward(loss, {.keep = Keep::all}) keeps the gradient of every node, "
                        "{.also = {x, ...}} those of a few on which the loss depends");
  throw GradientError(what + ": the loss does not depend on it");
}

void Gradients::require_alive() const {
  const bool recorded = !entries_.empty() && entries_.front().recorded != no_node;
  if (recorded && life_->generation != generation_)
    throw TapeError("these gradients were recorded (create_graph), and went when their tape was cleared or destroyed");
}

ArrayView Gradients::operator[](const Parameter& parameter) const {
  const auto found = by_parameter_.find(parameter.identity());
  if (found == by_parameter_.end())
    throw GradientError(
        fmt::format("no gradient was computed for parameter {}: the loss does not depend on it", parameter.name()));
  require_alive();
  return entries_[found->second.position].value;
}

Var Gradients::var(const Var& x) const {
  const ArrayView value = (*this)[x];  // throws where there is none
  const Entry* entry = find(x);
  if (entry->recorded == no_node)
    throw GradientError(
        "the gradient is no node of the tape: backward(loss, {.create_graph = true}) records the backward pass");
  return x.tape().var(entry->recorded);
}

std::vector<std::int64_t> Gradients::contribution_steps(const Parameter& parameter) const {
  const auto found = by_step_.find(parameter.identity());
  if (found == by_step_.end())
    throw GradientError(fmt::format(
        "no contributions were kept for parameter {}: backward(loss, {{.by_step = {{...}}}}) keeps those of the "
        "parameters in the list on which the loss depends",
        parameter.name()));
  std::vector<std::int64_t> steps;
  for (const auto& [step, entry] : found->second) steps.push_back(step);
  return steps;
}

ArrayView Gradients::contribution(const Parameter& parameter, std::int64_t step) const {
  const std::vector<std::int64_t> steps = contribution_steps(parameter);  // throws where there are none
  const auto& contributions = by_step_.at(parameter.identity());
  const auto found = contributions.find(step);
  if (found == contributions.end())
    throw GradientError(
        fmt::format("no contribution to the gradient of {} comes from step {}: they come from steps {} to {}",
                    parameter.name(), step, steps.front(), steps.back()));
  return found->second.value;
}

std::optional<double> Gradients::flow(const Var& x, std::int64_t step) const {
  require_of_this_recording(x);
  if (!flows_)
    throw GradientError(
        "no flows were measured: backward(loss, {.flows = true}) measures what comes back to each node from every time "
        "step");
  const auto node = flows_->find(x.id());
  if (node == flows_->end()) return std::nullopt;
  const auto found = node->second.find(step);
  return found != node->second.end() ? std::optional(found->second) : std::nullopt;
}

double Gradients::norm(const Var& x) const { return unroll::norm((*this)[x]); }
double Gradients::norm(const Parameter& parameter) const { return unroll::norm((*this)[parameter]); }

std::vector<Gradients::Entry> Gradients::parameter_entries() const {
  require_alive();
  std::vector<std::size_t> positions;
  for (const auto& [identity, entry] : by_parameter_) positions.push_back(entry.position);
  std::sort(positions.begin(), positions.end());  // an order that does not depend on addresses
  std::vector<Entry> result;
  for (std::size_t position : positions) result.push_back(entries_[position]);
  return result;
}

double norm(const ArrayView& array) {
  double sum = 0;
  if (array.contiguous()) {
    dispatch(array.dtype, [&](auto zero) {
      for (auto x : array.span<decltype(zero)>()) sum += static_cast<double>(x) * static_cast<double>(x);
    });
  } else {
    for (std::size_t i = 0; i < array.size(); ++i) sum += array.flat(i) * array.flat(i);
  }
  return std::sqrt(sum);
}

}  // namespace unroll
