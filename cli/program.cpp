#include <unroll/cli/program.hpp>

#include <unroll/cli/model_program.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/stack.hpp>
#include <unroll/layers/textbook.hpp>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

// The packed form or the textbook's, with the same weights for the same seed.
template <class Packed, class Textbook, class Options>
AnyCell form(const Options& options, bool packed, Generator& generator) {
  const Packed layer(options, generator);
  if (packed) return layer;
  return Textbook(layer);
}

AnyCell make_cell(const ProgramOptions& o, std::int64_t input, const std::string& name, Generator& generator) {
  switch (o.cell) {
    case CellKind::rnn:
      return form<RNN, textbook::RNN>(RNNOptions{.input = input, .hidden = o.hidden, .name = name, .dtype = DType::f64},
                                      o.packed, generator);
    case CellKind::gru:
      return form<GRU, textbook::GRU>(
          GRUOptions{.input = input, .hidden = o.hidden, .reset = o.reset, .name = name, .dtype = DType::f64}, o.packed,
          generator);
    case CellKind::lstm: break;
  }
  return form<LSTM, textbook::LSTM>(
      LSTMOptions{.input = input, .hidden = o.hidden, .peepholes = o.peepholes, .name = name, .dtype = DType::f64},
      o.packed, generator);
}

// lstm for a single layer; lstm1, lstm2, ... for several: as RecurrentStack has it.
std::string layer_name(const ProgramOptions& o, std::int64_t layer) {
  return o.layers == 1 ? to_string(o.cell) : fmt::format("{}{}", to_string(o.cell), layer);
}

template <class Layer> Program record(const Layer& layer, const ProgramOptions& o, Generator& generator) {
  auto tape = std::make_unique<Tape>();
  std::vector<Var> xs;
  for (std::int64_t t = 1; t <= o.steps; ++t) {
    const Step step(*tape, t);
    xs.push_back(tape->input(normal({o.batch, o.input}, 1, generator, DType::f64), "x"));
  }
  const auto initial = layer.zero_state(*tape, o.batch);
  OverTimeOptions options;
  if (o.k1 > 0) options.truncate = Truncation{.k1 = o.k1, .k2 = o.k2};
  const auto sequence = over_time(layer, xs, initial, options);
  const Var result = o.bidirectional ? sequence.stacked() : sequence.outputs.back();
  const Var loss = mean(square(result)).named("L");
  return {std::move(tape), loss};
}

Program record_bidirectional(const ProgramOptions& o, Generator& generator) {
  if (o.k1 > 0) throw Error("--truncate and --bidirectional do not go together: the way back sees the end first");
  std::vector<BothDirections> layers;
  for (std::int64_t i = 1; i <= o.layers; ++i) {
    const std::int64_t input = i == 1 ? o.input : 2 * o.hidden;
    const AnyCell forward = make_cell(o, input, layer_name(o, i) + "_forward", generator);
    const AnyCell backward = make_cell(o, input, layer_name(o, i) + "_backward", generator);
    layers.push_back({forward, backward});
  }
  return record(Bidirectional(std::move(layers), {.name = to_string(o.cell)}), o, generator);
}

}  // namespace

Program record_program(const ProgramOptions& o) {
  if (!o.model.empty()) return record_model_program(o);
  Generator generator(o.seed);
  if (o.bidirectional) return record_bidirectional(o, generator);
  if (o.layers == 1) return record(make_cell(o, o.input, layer_name(o, 1), generator), o, generator);
  std::vector<AnyCell> layers;
  for (std::int64_t i = 1; i <= o.layers; ++i)
    layers.push_back(make_cell(o, i == 1 ? o.input : o.hidden, layer_name(o, i), generator));
  return record(Stack(std::move(layers), {.name = to_string(o.cell)}), o, generator);
}

}  // namespace unroll::cli
