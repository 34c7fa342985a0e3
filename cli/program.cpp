#include <unroll/cli/program.hpp>

#include <unroll/cli/model_program.hpp>

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

namespace unroll::cli {

namespace {

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
  const Var loss = mean(square(sequence.outputs.back())).named("L");
  Gradients gradients = backward(loss, {.keep = Keep::all, .create_graph = o.backward});
  return {std::move(tape), std::move(gradients)};
}

// The packed form or the textbook's, with the same weights for the same seed.
template <class Packed, class Textbook, class Options>
Program record_form(const Options& layer_options, const ProgramOptions& o) {
  Generator generator(o.seed);
  const Packed packed(layer_options, generator);
  return o.packed ? record(packed, o, generator) : record(Textbook(packed), o, generator);
}

}  // namespace

Program record_program(const ProgramOptions& o) {
  if (!o.model.empty()) return record_model_program(o);
  switch (o.cell) {
    case CellKind::rnn:
      return record_form<RNN, textbook::RNN>(RNNOptions{.input = o.input, .hidden = o.hidden, .dtype = DType::f64}, o);
    case CellKind::gru:
      return record_form<GRU, textbook::GRU>(
          GRUOptions{.input = o.input, .hidden = o.hidden, .reset = o.reset, .dtype = DType::f64}, o);
    case CellKind::lstm: break;
  }
  return record_form<LSTM, textbook::LSTM>(LSTMOptions{.input = o.input, .hidden = o.hidden, .dtype = DType::f64}, o);
}

}  // namespace unroll::cli
