#include <unroll/layers/recurrent_stack.hpp>

#include <unroll/layers/options.hpp>

#include <array>

#include <fmt/format.h>

namespace unroll {

namespace {

constexpr std::array<const char*, 3> names{"rnn", "lstm", "gru"};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

// One step of a layer, in terms of the state that all kinds of layers share.
std::pair<Var, LSTMState> step(const LSTM& layer, Var x, const LSTMState& before) { return layer(x, before); }
template <class Layer> std::pair<Var, LSTMState> step(const Layer& layer, Var x, const LSTMState& before) {
  const auto [h, state] = layer(x, {before.h});
  return {h, {state.h, {}}};
}

LSTMState zero_state(const LSTM& layer, Tape& tape, std::int64_t batch) { return layer.zero_state(tape, batch); }
template <class Layer> LSTMState zero_state(const Layer& layer, Tape& tape, std::int64_t batch) {
  return {layer.zero_state(tape, batch).h, {}};
}

}  // namespace

const char* to_string(CellKind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<CellKind> cell_kind(std::string_view name) {
  std::string wanted;
  for (char letter : name) wanted += lower(letter);
  for (CellKind kind : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    if (wanted == to_string(kind)) return kind;
  return std::nullopt;
}

RecurrentStack::RecurrentStack(const RecurrentStackOptions& o, Generator& generator)
    : Module(to_string(o.cell)), options(o) {
  require_positive(name(), "layers", o.layers);
  for (std::int64_t i = 1; i <= o.layers; ++i) {
    const std::string layer = o.layers == 1 ? name() : fmt::format("{}{}", name(), i);
    const std::int64_t input = i == 1 ? o.input : o.hidden;
    switch (o.cell) {
      case CellKind::rnn:
        layers_.emplace_back(RNN({.input = input, .hidden = o.hidden, .name = layer, .dtype = o.dtype}, generator));
        break;
      case CellKind::lstm:
        layers_.emplace_back(LSTM({.input = input, .hidden = o.hidden, .name = layer, .dtype = o.dtype}, generator));
        break;
      case CellKind::gru:
        layers_.emplace_back(
            GRU({.input = input, .hidden = o.hidden, .reset = o.reset, .name = layer, .dtype = o.dtype}, generator));
        break;
    }
    std::visit([&](const auto& added) { add(added); }, layers_.back());
  }
}

std::pair<Var, RecurrentStack::State> RecurrentStack::operator()(Var x, const State& before) const {
  if (before.size() != layers_.size())
    throw ShapeError(fmt::format("{}: {} states were given for {} layers", name(), before.size(), layers_.size()));
  State after;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto [output, state] = std::visit([&](const auto& layer) { return step(layer, x, before[i]); }, layers_[i]);
    x = output;
    after.push_back(state);
  }
  return {x, std::move(after)};
}

RecurrentStack::State RecurrentStack::zero_state(Tape& tape, std::int64_t batch) const {
  State state;
  for (const Layer& layer : layers_)
    state.push_back(std::visit([&](const auto& l) { return unroll::zero_state(l, tape, batch); }, layer));
  return state;
}

}  // namespace unroll
