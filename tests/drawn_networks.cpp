#include "drawn_networks.hpp"

#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/encoder_decoder.hpp>
#include <unroll/layers/initial_state.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/lstm_1997.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/textbook.hpp>

#include <stdexcept>
#include <utility>

namespace unroll::test {

namespace {

constexpr std::int64_t inputs = 3, hidden = 4;

Var sequence(Tape& tape, std::int64_t steps, std::int64_t batch = 1) {
  Generator generator(5);
  return tape.constant(normal({steps, batch, inputs}, 1, generator, DType::f64), "x");
}

Var loss_of(Var last) { return mean(square(last)).named("loss"); }

template <class Cell> DrawnNetwork last_output(std::string name, Cell cell, bool has_cell_state = false) {
  return {
      std::move(name),
      [cell](Tape& tape, std::int64_t steps) { return loss_of(over_time(cell, sequence(tape, steps)).outputs.back()); },
      has_cell_state};
}

template <class Cell> DrawnNetwork all_outputs(std::string name, Cell cell, OverTimeOptions options = {}) {
  return {std::move(name), [cell, options](Tape& tape, std::int64_t steps) {
            return loss_of(over_time(cell, sequence(tape, steps), options).stacked());
          }};
}

std::vector<std::int64_t> ragged(std::int64_t steps) { return {steps, steps > 1 ? steps - 1 : 1}; }

DrawnNetwork encoder_decoder(const std::string& name, const std::optional<DecoderAttention>& attention,
                             Generator& generator) {
  const auto cell = [&](const char* role) {
    return LSTM({.input = 3, .hidden = hidden, .name = role, .dtype = DType::f64}, generator);
  };
  const Encoder encoder({.vocabulary = 5, .embedding = 3, .dtype = DType::f64}, cell("reader"), generator);
  const Decoder decoder({.vocabulary = 5, .embedding = 3, .attention = attention, .dtype = DType::f64}, cell("writer"),
                        generator);
  const EncoderDecoder model(encoder, decoder);
  return {name, [model](Tape& tape, std::int64_t steps) {
            Symbols source, target;
            for (std::int64_t t = 0; t < steps; ++t) source.push_back(2 + t % 3);
            for (std::int64_t t = 0; t + 1 < steps; ++t) target.push_back(2 + t % 3);
            target.push_back(1);
            return model.teach(tape, std::vector<Symbols>{source}, std::vector<Symbols>{target}).loss;
          }};
}

std::vector<DrawnNetwork> networks() {
  Generator generator(1);
  constexpr DType f64 = DType::f64;
  const RNNOptions rnn{.input = inputs, .hidden = hidden, .dtype = f64};
  RNNOptions relu = rnn;
  relu.activation = Activation::relu;
  const LSTMOptions lstm{.input = inputs, .hidden = hidden, .dtype = f64};
  LSTMOptions peepholes = lstm;
  peepholes.peepholes = true;
  const auto gru = [](Reset reset) {
    return GRUOptions{.input = inputs, .hidden = hidden, .reset = reset, .dtype = f64};
  };
  const auto stack = [](CellKind kind, std::int64_t layers) {
    return RecurrentStackOptions{.cell = kind, .input = inputs, .hidden = hidden, .layers = layers, .dtype = f64};
  };

  std::vector<DrawnNetwork> all{
      last_output("textbook RNN, tanh", textbook::RNN(rnn, generator)),
      last_output("textbook RNN, relu", textbook::RNN(relu, generator)),
      last_output("textbook LSTM", textbook::LSTM(lstm, generator), true),
      last_output("textbook LSTM, peepholes", textbook::LSTM(peepholes, generator), true),
      last_output("textbook GRU, reset before", textbook::GRU(gru(Reset::before), generator)),
      last_output("textbook GRU, reset after", textbook::GRU(gru(Reset::after), generator)),
      last_output("RNN", RNN(rnn, generator)),
      last_output("LSTM", LSTM(lstm, generator), true),
      last_output("LSTM, peepholes", LSTM(peepholes, generator), true),
      last_output("GRU, reset before", GRU(gru(Reset::before), generator)),
      last_output("GRU, reset after", GRU(gru(Reset::after), generator)),
      all_outputs("textbook LSTM, all outputs", textbook::LSTM(lstm, generator)),
  };

  for (const CellKind kind : {CellKind::rnn, CellKind::lstm, CellKind::gru}) {
    RecurrentStackOptions o = stack(kind, 1);
    o.layer_norm = true;
    o.reset = Reset::after;
    all.push_back(last_output(std::string(to_string(kind)) + ", layer norm", RecurrentStack(o, generator)));
  }
  {
    RecurrentStackOptions o = stack(CellKind::lstm, 1);
    o.projection = 2;
    all.push_back(last_output("LSTM, projection", RecurrentStack(o, generator), true));
  }
  all.push_back(
      last_output("LSTM of 1997", LSTM1997({.input = inputs, .blocks = 2, .cells = 2, .dtype = f64}, generator)));
  all.push_back(last_output("LSTM of 1997, truncated",
                            LSTM1997({.input = inputs, .blocks = 2, .truncated = true, .dtype = f64}, generator)));
  all.push_back(
      {"lambda without a scope", [](Tape& tape, std::int64_t steps) {
         Generator g(2);
         const Parameter W("W", normal({inputs, hidden}, 1, g, f64)), U("U", normal({hidden, hidden}, 1, g, f64));
         const auto cell = [&](Var x, Var h) -> std::pair<Var, Var> {
           const Var from_x = matmul(x, x.tape().use(W)), from_h = matmul(h, x.tape().use(U));
           const Var next = tanh(from_x + from_h).named("h");
           return {next, next};
         };
         return loss_of(
             over_time(cell, sequence(tape, steps), tape.constant(Array({1, hidden}, f64), "h")).outputs.back());
       }});

  for (const std::int64_t layers : {2, 3})
    for (const CellKind kind : {CellKind::rnn, CellKind::lstm, CellKind::gru})
      all.push_back(last_output(std::string(to_string(kind)) + ", " + std::to_string(layers) + " layers",
                                RecurrentStack(stack(kind, layers), generator)));
  {
    const textbook::LSTM lower({.input = inputs, .hidden = hidden, .name = "lower", .dtype = f64}, generator);
    const textbook::LSTM upper({.input = hidden, .hidden = hidden, .name = "upper", .dtype = f64}, generator);
    all.push_back(last_output("textbook LSTM, 2 layers", Stack({lower, upper})));
    const textbook::GRU gru1({.input = inputs, .hidden = hidden, .name = "lower", .dtype = f64}, generator);
    const textbook::GRU gru2({.input = hidden, .hidden = hidden, .name = "upper", .dtype = f64}, generator);
    all.push_back(last_output("textbook GRU, 2 layers", Stack({gru1, gru2})));
  }
  {
    const RNN a({.input = inputs, .hidden = hidden, .dtype = f64}, generator);
    const LSTM b({.input = hidden, .hidden = hidden, .dtype = f64}, generator);
    const GRU c({.input = hidden, .hidden = hidden, .dtype = f64}, generator);
    const auto sum = [](Var x, Var h) {
      const Var next = 0.5 * h + x;
      return std::pair{next, next};
    };
    const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, hidden}, f64), "h"); };
    all.push_back(last_output("rnn, lstm, gru and a lambda", Stack({a, b, c, AnyCell("sum", sum, zero)})));
  }
  for (const CellKind kind : {CellKind::lstm, CellKind::gru}) {
    RecurrentStackOptions o = stack(kind, 2);
    o.residual = true;
    all.push_back(last_output(std::string(to_string(kind)) + ", residual", RecurrentStack(o, generator)));
    for (const std::int64_t layers : {1, 2})
      all.push_back(all_outputs(std::string(to_string(kind)) + ", bidirectional, " + std::to_string(layers),
                                bidirectional(stack(kind, layers), generator)));
  }
  const textbook::LSTM book(lstm, generator);
  all.push_back(all_outputs("truncated, 2 and 2", book, {.truncate = Truncation{2, 2}}));
  all.push_back(all_outputs("truncated, 1 and 3", textbook::RNN(rnn, generator), {.truncate = Truncation{1, 3}}));
  all.push_back(all_outputs("reverse", book, {.reverse = true}));
  const GRU padded(gru(Reset::after), generator);
  all.push_back({"lengths", [padded](Tape& tape, std::int64_t steps) {
                   return loss_of(over_time(padded, sequence(tape, steps, 2), {.lengths = ragged(steps)}).stacked());
                 }});
  all.push_back({"mask, reverse", [book](Tape& tape, std::int64_t steps) {
                   return loss_of(over_time(book, sequence(tape, steps, 2),
                                            {.mask = length_mask(ragged(steps), steps), .reverse = true})
                                      .stacked());
                 }});
  all.push_back(encoder_decoder("encoder-decoder", std::nullopt, generator));
  all.push_back(encoder_decoder("encoder-decoder, additive attention",
                                DecoderAttention{.score = AttentionScore::additive, .source = hidden, .hidden = 3},
                                generator));
  all.push_back(encoder_decoder("encoder-decoder, dot attention",
                                DecoderAttention{.score = AttentionScore::dot, .source = hidden}, generator));
  const Linear readout({.input = hidden, .output = 2, .name = "readout", .dtype = f64}, generator);
  all.push_back({"losses of single steps", [book, readout](Tape& tape, std::int64_t steps) {
                   const auto run = over_time(book, sequence(tape, steps));
                   Var loss;
                   for (std::size_t t = 0; t < run.outputs.size(); ++t) {
                     const Step step(tape, static_cast<std::int64_t>(t) + 1);
                     const Var own = mean(square(readout(run.outputs[t]).named("y"))).named("L");
                     loss = t == 0 ? own : loss + own;
                   }
                   return loss;
                 }});
  all.push_back({"readout at every step", [book, readout](Tape& tape, std::int64_t steps) {
                   const auto run = over_time(book, sequence(tape, steps));
                   std::vector<Var> logits;
                   for (std::size_t t = 0; t < run.outputs.size(); ++t) {
                     const Step step(tape, static_cast<std::int64_t>(t) + 1);
                     logits.push_back(readout(run.outputs[t]).named("y"));
                   }
                   return cross_entropy(logits, std::vector<std::int64_t>(logits.size(), 1)).named("loss");
                 }});
  const InitialState learned(book);
  all.push_back({"learned initial state", [book, learned](Tape& tape, std::int64_t steps) {
                   return loss_of(over_time(book, sequence(tape, steps), learned(tape, 1)).outputs.back());
                 }});
  return all;
}

}  // namespace

const std::vector<DrawnNetwork>& drawn_networks() {
  static const std::vector<DrawnNetwork> all = networks();
  return all;
}

const DrawnNetwork& drawn_network(const std::string& name) {
  for (const DrawnNetwork& network : drawn_networks())
    if (network.name == name) return network;
  throw std::invalid_argument("no network is called " + name);
}

}  // namespace unroll::test
