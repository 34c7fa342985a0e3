#include <unroll/core/tape/tape.hpp>

#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <deque>
#include <mutex>

#include <fmt/format.h>

namespace unroll {

namespace {

// Life signs are never freed, only used again by later tapes, so that a Var may look at its own at any time.
struct LifeSigns {
  std::mutex mutex;
  std::deque<detail::LifeSign> all;
  std::vector<detail::LifeSign*> free;
};

LifeSigns& life_signs() {
  static auto* signs = new LifeSigns;  // not destroyed: a static Var may outlive this file's statics
  return *signs;
}

detail::LifeSign* new_life(Tape* tape) {
  LifeSigns& signs = life_signs();
  const std::lock_guard lock(signs.mutex);
  if (signs.free.empty()) {
    signs.all.emplace_back();
    signs.free.push_back(&signs.all.back());
  }
  detail::LifeSign* life = signs.free.back();
  signs.free.pop_back();
  life->tape = tape;
  return life;
}

}  // namespace

void Var::fail() const {
  if (empty()) throw TapeError("an empty Var was used: it was default-constructed and never assigned");
  throw TapeError(fmt::format("a Var was used after its tape was cleared or destroyed (it was node {})", id_));
}

Var Var::named(std::string_view name) const {
  tape().set_name(id_, name);
  return *this;
}

void Parameter::assign(const ArrayView& value) {
  if (value.shape != shape())
    throw ShapeError(fmt::format("parameter {}: assigned an array of shape {}, expected {}", name(),
                                 to_string(value.shape), to_string(shape())));
  const Array converted = value.as(dtype());
  Array& target = mutable_value();
  for (std::size_t i = 0; i < target.size(); ++i) target.set_flat(i, converted.flat(i));
}

Tape::Tape() : pool_(std::make_shared<Pool>()), scopes_(1), names_(1), life_(new_life(this)) {}

Tape::~Tape() {
  LifeSigns& signs = life_signs();
  const std::lock_guard lock(signs.mutex);
  ++life_->generation;
  life_->tape = nullptr;
  signs.free.push_back(life_);
}

void Tape::clear() {
  ++life_->generation;
  nodes_.truncate(0);
  inputs_.clear();
  arena_.reset();
  held_.clear();
  parameters_.clear();
  parameter_index_.clear();
}

void Tape::rollback(const Mark& mark) {
  nodes_.truncate(mark.nodes);
  inputs_.resize(mark.inputs);
  held_.resize(mark.held);
  arena_.rollback(mark.arena);
  while (!parameters_.empty() && parameters_.back().node >= mark.nodes) {
    parameter_index_.erase(parameters_.back().parameter.identity());
    parameters_.pop_back();
  }
}

Node& Tape::append(const Op& op, std::span<const NodeId> inputs) {
  Node& node = nodes_.append();
  node.op = &op;
  node.value.data = nullptr;
  node.value.strides = nullptr;
  node.attributes = {};
  node.first_input = static_cast<std::uint32_t>(inputs_.size());
  node.input_count = static_cast<std::uint32_t>(inputs.size());
  node.place = place;
  node.tracked = node.pending = false;
  node.name = 0;
  node.origin = origin;
  node.adjoint = no_node;
  for (NodeId input : inputs) inputs_.push_back(input);  // one or two: cheaper than a block copy
  return node;
}

Var Tape::leaf(const Op& op, const ArrayView& value, bool tracked, std::string_view name) {
  Node& node = append(op, {});
  node.value = value;
  node.tracked = tracked;
  const NodeId id = last();
  if (!name.empty()) set_name(id, name);
  return {life_, id};
}

Var Tape::input(Array value, std::string_view name) {
  held_.push_back(value.owner());
  return leaf(input_op(), value, true, name);
}

Var Tape::constant(Array value, std::string_view name) {
  held_.push_back(value.owner());
  return leaf(constant_op(), value, false, name);
}

Var Tape::constant_view(const ArrayView& value, std::string_view name) {
  return leaf(constant_op(), value, false, name);
}

Var Tape::scalar(double value, DType dtype) {
  void* data = arena_.allocate(size_of(dtype));
  if (dtype == DType::f32)
    *static_cast<float*>(data) = static_cast<float>(value);
  else
    *static_cast<double*>(data) = value;
  return leaf(constant_op(), ArrayView{dtype, {}, data}, false, {});
}

Var Tape::use(const Parameter& parameter) {
  const NodeId known = find(parameter);
  if (known != no_node) return {life_, known};
  // a parameter belongs to no moment: it stands outside of time, in the scope of its first use
  held_.push_back(parameter.value().owner());
  const Place here = place;
  place.step = no_step;
  place.phase = Phase::forward;
  const Var var = leaf(parameter_op(), parameter.value(), true, parameter.name());
  place = here;
  parameter_index_.emplace(parameter.identity(), parameters_.size());
  parameters_.push_back({parameter, var.id(), parameter.version()});
  return var;
}

Var Tape::var(NodeId id) const {
  if (id >= nodes_.size()) throw TapeError(fmt::format("node {} of a tape of {} nodes", id, nodes_.size()));
  return {life_, id};
}

std::string_view Tape::last_part(ScopeId scope) const {
  return std::string_view(scopes_[scope].path).substr(scopes_[scope].last_part);
}

const Parameter* Tape::parameter(NodeId id) const {
  for (const ParameterUse& use : parameters_)
    if (use.node == id) return &use.parameter;
  return nullptr;
}

NodeId Tape::find(const Parameter& parameter) const {
  const auto found = parameter_index_.find(parameter.identity());
  return found == parameter_index_.end() ? no_node : parameters_[found->second].node;
}

void Tape::require_unchanged_parameters() const {
  for (const ParameterUse& use : parameters_)
    if (use.parameter.version() != use.version)
      throw GradientError(fmt::format(
          "parameter {} has changed since it was recorded: take the gradient before the optimiser's step, and record "
          "the next step on a cleared tape",
          use.parameter.name()));
}

std::string Tape::where(NodeId id) const { return where(nodes_[id].place, id); }

std::string Tape::where(const Place& at, NodeId id) const {
  std::string text = "[";
  if (at.scope != 0) text += path(at.scope) + ", ";
  if (at.step != no_step) text += fmt::format("t = {}, ", at.step);
  if (at.phase != Phase::forward) text += fmt::format("{}, ", to_string(at.phase));
  return text + fmt::format("node {}]", id);
}

void Tape::set_name(NodeId id, std::string_view name) {
  NameId& recent = recent_names_[(reinterpret_cast<std::uintptr_t>(name.data()) >> 1) % recent_names_.size()];
  if (names_[recent] != name) {
    const auto found = name_index_.find(name);
    if (found != name_index_.end()) {
      recent = found->second;
    } else {
      recent = static_cast<NameId>(names_.size());
      names_.emplace_back(name);
      name_index_.emplace(names_.back(), recent);
    }
  }
  nodes_[id].name = recent;
}

ScopeId Tape::enter(std::string_view part) {
  for (ScopeId child : scopes_[place.scope].children)
    if (last_part(child) == part) return child;
  ScopeEntry entry;
  const std::string& outer = scopes_[place.scope].path;
  entry.path = outer.empty() ? std::string(part) : outer + "/" + std::string(part);
  entry.parent = place.scope;
  entry.last_part = entry.path.size() - part.size();
  const auto id = static_cast<ScopeId>(scopes_.size());
  scopes_.push_back(std::move(entry));
  scopes_[place.scope].children.push_back(id);
  return id;
}

}  // namespace unroll
