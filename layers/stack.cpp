#include <unroll/layers/stack.hpp>

#include <unroll/layers/options.hpp>

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace unroll {

Stack::Stack(std::vector<AnyCell> layers, const StackOptions& options)
    : Module(options.name), layers_(std::move(layers)), dropout_(options.dropout), residual_(options.residual) {
  require_positive(name(), "layers", static_cast<std::int64_t>(layers_.size()));
  require_rate(name(), "dropout", dropout_);
  std::vector<std::string> names;
  for (const AnyCell& layer : layers_) {
    add(layer);
    names.push_back(layer.name());
  }
  numbered_ = any_twice(std::move(names));
}

Stack Stack::with_dropout(Generator& generator) const {
  Stack copy = *this;
  copy.generator_ = &generator;
  return copy;
}

std::pair<Var, Stack::State> Stack::operator()(Var x, const State& before) const {
  if (before.size() != layers_.size())
    throw ShapeError(fmt::format("{}: {} states were given for {} layers", name(), before.size(), layers_.size()));
  State after;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::optional<Scope> number;  // of layers with one name, or of one layer that stands in several places
    if (numbered_) number.emplace(x.tape(), std::to_string(i + 1));
    auto [output, state] = layers_[i](x, before[i]);
    after.push_back(std::move(state));
    if (generator_ && i + 1 < layers_.size()) output = dropout(output, dropout_, *generator_);
    if (residual_ && i > 0) {
      if (output.shape() != x.shape())
        throw ShapeError(fmt::format("{}: residual: layer {} ({}) makes {} of {}, expected the same shape", name(),
                                     i + 1, layers_[i].name(), to_string(output.shape()), to_string(x.shape())));
      output = x + output;
    }
    x = output;
  }
  return {x, std::move(after)};
}

Stack::State Stack::zero_state(Tape& tape, std::int64_t batch) const {
  State state;
  for (const AnyCell& layer : layers_) state.push_back(layer.zero_state(tape, batch));
  return state;
}

}  // namespace unroll
