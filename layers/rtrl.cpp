#include <unroll/layers/rtrl.hpp>

#include <cstddef>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

// Elements begin .. of a flat array under the shape of one part of the state; the memory is shared.
Array part(Array& whole, std::int64_t begin, const Array& like) {
  auto* data = static_cast<std::byte*>(whole.data()) + static_cast<std::size_t>(begin) * size_of(whole.dtype());
  return Array::wrap(like.shape(), like.dtype(), data, whole.owner());
}

std::int64_t size_of_array(const Array& array) { return static_cast<std::int64_t>(array.size()); }

}  // namespace

void fail_rtrl_without_steps() { throw ShapeError("rtrl: no inputs were given, expected one for each step"); }

Sensitivities::Sensitivities(std::span<const Parameter> parameters, std::span<const Var> initial) {
  if (parameters.empty()) throw Error("rtrl: no parameters were given");
  if (initial.empty()) throw ShapeError("rtrl: the initial state is empty");
  for (const Var& v : initial) {
    state_.push_back(v.value().copy());
    names_.push_back(v.tape().name(v.id()));
    size_ += size_of_array(state_.back());
  }
  for (const Parameter& p : parameters)
    directions_.push_back({p, Array(p.shape(), p.dtype()), Array(p.shape(), p.dtype()), {}});
  for (Direction& d : directions_)
    for (std::size_t k = 0; k < d.parameter.size(); ++k) d.ds.emplace_back(Shape{size_}, state_[0].dtype());
  advance({}, initial, {}, 0);
}

std::vector<Var> Sensitivities::record(Tape& tape) const {
  std::vector<Var> vars;
  for (std::size_t i = 0; i < state_.size(); ++i) vars.push_back(tape.constant(state_[i], names_[i]));
  return vars;
}

void Sensitivities::require_same_state(std::span<const Var> after, std::int64_t t) const {
  if (after.size() != state_.size())
    throw ShapeError(fmt::format("rtrl: the state after step {} has {} parts, the initial state has {}", t,
                                 after.size(), state_.size()));
  for (std::size_t i = 0; i < after.size(); ++i)
    if (after[i].shape() != state_[i].shape())
      throw ShapeError(fmt::format("rtrl: state {} has shape {} after step {}, {} before  {}", names_[i],
                                   to_string(after[i].shape()), t, to_string(state_[i].shape()),
                                   after[i].tape().where(after[i].id())));
}

void Sensitivities::advance(std::span<const Var> before, std::span<const Var> after, Var loss, std::int64_t t) {
  require_same_state(after, t);
  if (!loss.empty() && loss.value().size() != 1)
    throw ShapeError(fmt::format("rtrl: the loss of step {} has shape {}, expected one element  {}", t,
                                 to_string(loss.shape()), loss.tape().where(loss.id())));
  // The state and the loss side by side, so that one sweep in each direction gives the derivatives of both.
  std::vector<Var> flat;
  for (std::size_t i = 0; i < after.size(); ++i) flat.push_back(reshape(after[i], {size_of_array(state_[i])}));
  if (!loss.empty()) flat.push_back(reshape(loss, {1}));
  const Var all = concat(flat, 0);
  Tape& tape = all.tape();
  const Tape::Mark mark = tape.mark();
  const auto size = static_cast<std::size_t>(size_);
  for (Direction& d : directions_) {
    const NodeId node = tape.find(d.parameter);
    d.used |= node != no_node;
    for (std::size_t k = 0; k < d.ds.size(); ++k) {
      std::vector<Tangent> tangents;
      std::int64_t begin = 0;
      for (std::size_t i = 0; i < before.size(); ++i) {
        tangents.push_back({before[i], part(d.ds[k], begin, state_[i])});
        begin += size_of_array(state_[i]);
      }
      d.entries.set_flat(k, 1);
      if (node != no_node) tangents.push_back({tape.var(node), d.entries});
      const ArrayView derivative = jvp(all, tangents).value();
      d.entries.set_flat(k, 0);
      for (std::size_t i = 0; i < size; ++i) d.ds[k].set_flat(i, derivative.flat(i));
      if (!loss.empty()) d.gradient.set_flat(k, d.gradient.flat(k) + derivative.flat(size));
      tape.rollback(mark);
    }
  }
  for (std::size_t i = 0; i < after.size(); ++i) state_[i] = after[i].value().copy();
  if (loss.empty()) return;
  loss_ += loss.item();
  has_loss_ = true;
}

RtrlResult Sensitivities::result(const Tape& tape) const {
  if (!has_loss_) throw Error("rtrl: no step has a loss");
  RtrlResult result{loss_, {}, tape.bytes_reserved()};
  for (const Direction& d : directions_) {
    if (!d.used)
      throw GradientError(
          fmt::format("rtrl: parameter {} was used at no step, so there is no gradient by it", d.parameter.name()));
    result.gradients.push_back(d.gradient);
    for (const Array& ds : d.ds) result.bytes += ds.size() * size_of(ds.dtype());
  }
  return result;
}

}  // namespace unroll::detail
