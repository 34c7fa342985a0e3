#include <unroll/layers/character_model.hpp>

#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>

#include <numbers>

namespace unroll {

CharacterModel::CharacterModel(const CharacterModelOptions& o, Vocabulary v, Generator& generator)
    : Module("character model"),
      options(o),
      vocabulary(std::move(v)),
      embedding_({.vocabulary = vocabulary.size(), .dimension = o.embedding}, generator),
      cell_({.cell = o.cell, .input = o.embedding, .hidden = o.hidden, .layers = o.layers, .reset = o.reset},
            generator),
      readout_({.input = o.hidden, .output = vocabulary.size(), .name = "readout"}, generator) {
  add(embedding_);
  add(cell_);
  add(readout_);
}

CharacterModel::CarriedState CharacterModel::zero_state(std::int64_t streams) const {
  Tape tape;
  return carried(cell_.zero_state(tape, streams));
}

RecurrentStack::State CharacterModel::recorded(Tape& tape, const CarriedState& state) const {
  return resumed(cell_.zero_state(tape, state.at(0).shape()[0]), state);
}

Var CharacterModel::loss(Tape& tape, const TextWindow& window, CarriedState& state) const {
  std::vector<Var> xs;
  for (std::int64_t t = 0; t < window.steps; ++t) {
    const Step step(tape, t + 1);
    xs.push_back(embedding_(tape, window.inputs_at(t)).named("x"));
  }
  const Sequence<RecurrentStack::State> sequence = over_time(cell_, xs, recorded(tape, state));
  state = carried(sequence.state);
  return cross_entropy(readout_(sequence.stacked()), window.targets);
}

Var CharacterModel::logits(Tape& tape, std::int64_t symbol, CarriedState& state) const {
  const auto [output, after] = cell_(embedding_(tape, {&symbol, 1}), recorded(tape, state));
  state = carried(after);
  return readout_(output);
}

double bits_per_character(const CharacterModel& model, const TextStreams& text, const std::function<bool()>& stop) {
  Tape tape;
  CharacterModel::CarriedState state = model.zero_state(text.streams());
  double nats = 0, predictions = 0;
  for (std::int64_t i = 0; i < text.windows() && !(i > 0 && stop()); ++i) {
    tape.clear();
    const TextWindow window = text.window(i);
    const auto n = static_cast<double>(window.targets.size());
    nats += n * model.loss(tape, window, state).item();
    predictions += n;
  }
  return nats / predictions / std::numbers::ln2;
}

}  // namespace unroll
