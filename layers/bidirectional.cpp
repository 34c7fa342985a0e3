#include <unroll/layers/bidirectional.hpp>

#include <unroll/layers/options.hpp>

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace unroll {

namespace {

OverTimeOptions turned(OverTimeOptions options) {
  options.reverse = !options.reverse;
  return options;
}

const std::vector<Var>& steps_of(const std::vector<Var>& xs) { return xs; }
const std::vector<Var>& steps_of(const PackedSequence& xs) { return xs.steps; }
std::vector<Var>& steps_of(std::vector<Var>& xs) { return xs; }
std::vector<Var>& steps_of(PackedSequence& xs) { return xs.steps; }

// One direction of a layer; where cells have one name, in a scope that tells them apart.
template <class Inputs>
auto one_way(const AnyCell& cell, const std::string& number, const Inputs& xs, const AnyCell::State& before,
             const OverTimeOptions& options) {
  std::optional<Scope> scope;
  if (!number.empty() && !steps_of(xs).empty())
    scope.emplace(steps_of(xs)[0].tape(), number + (options.reverse ? " backward" : " forward"));
  return over_time(cell, xs, before, options);
}

}  // namespace

Bidirectional::Bidirectional(std::vector<BothDirections> layers, const BidirectionalOptions& options)
    : Module(options.name), layers_(std::move(layers)), dropout_(options.dropout) {
  require_positive(name(), "layers", static_cast<std::int64_t>(layers_.size()));
  require_rate(name(), "dropout", dropout_);
  std::vector<std::string> names;
  for (const BothDirections& layer : layers_)
    for (const AnyCell* cell : {&layer.forward, &layer.backward}) {
      add(*cell);
      names.push_back(cell->name());
    }
  numbered_ = any_twice(std::move(names));
}

Bidirectional Bidirectional::with_dropout(Generator& generator) const {
  Bidirectional copy = *this;
  copy.generator_ = &generator;
  return copy;
}

template <class Result, class Inputs>
Result Bidirectional::run(const Inputs& xs, const State& before, const OverTimeOptions& options) const {
  require_state(before);
  Result result{xs, {}};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string number = numbered_ ? std::to_string(i + 1) : "";
    auto forward = one_way(layers_[i].forward, number, result.outputs, before[i].forward, options);
    auto backward = one_way(layers_[i].backward, number, result.outputs, before[i].backward, turned(options));
    steps_of(result.outputs) = joined(steps_of(forward.outputs), steps_of(backward.outputs), i + 1 == layers_.size());
    result.state.push_back({std::move(forward.state), std::move(backward.state)});
  }
  return result;
}

Sequence<Bidirectional::State> Bidirectional::operator()(const std::vector<Var>& xs, const State& before,
                                                         const OverTimeOptions& options) const {
  return run<Sequence<State>>(xs, before, options);
}

PackedResult<Bidirectional::State> Bidirectional::operator()(const PackedSequence& xs, const State& before,
                                                             const OverTimeOptions& options) const {
  return run<PackedResult<State>>(xs, before, options);
}

Bidirectional::State Bidirectional::zero_state(Tape& tape, std::int64_t batch) const {
  State state;
  for (const BothDirections& layer : layers_)
    state.push_back({layer.forward.zero_state(tape, batch), layer.backward.zero_state(tape, batch)});
  return state;
}

std::vector<Var> Bidirectional::joined(const std::vector<Var>& forward, const std::vector<Var>& backward,
                                       bool last) const {
  std::vector<Var> steps;
  for (std::size_t t = 1; t <= forward.size(); ++t) {
    Tape& tape = forward[t - 1].tape();
    const Scope scope(tape, name());
    const Step step(tape, static_cast<std::int64_t>(t));
    const Var both = concat({forward[t - 1], backward[t - 1]}, -1);
    steps.push_back(generator_ && !last ? dropout(both, dropout_, *generator_) : both);
  }
  return steps;
}

void Bidirectional::require_state(const State& state) const {
  if (state.size() != layers_.size())
    throw ShapeError(fmt::format("{}: {} states were given for {} layers", name(), state.size(), layers_.size()));
}

}  // namespace unroll
