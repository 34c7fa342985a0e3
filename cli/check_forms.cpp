#include <unroll/cli/check_forms.hpp>

#include <unroll/layers/encoder_decoder_check.hpp>
#include <unroll/layers/initial_state.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/lstm_1997.hpp>
#include <unroll/layers/packed.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/textbook.hpp>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

// Checks all forms of the wanted cells, and all ways of putting them together.
class Checks {
 public:
  explicit Checks(const CheckOptions& options) : options_(options) {}

  std::vector<CheckedForm> run() {
    if (wanted(CellKind::rnn)) {
      for (const auto& [suffix, activation] : {std::pair{"tanh", Activation::tanh}, {"relu", Activation::relu}})
        both_forms<RNN, textbook::RNN>(
            fmt::format("rnn {}", suffix),
            RNNOptions{
                .input = options_.input, .hidden = options_.hidden, .activation = activation, .dtype = DType::f64});
      ways(CellKind::rnn);
    }
    if (wanted(CellKind::lstm)) {
      for (const bool peepholes : {false, true})
        both_forms<LSTM, textbook::LSTM>(
            peepholes ? "lstm peepholes" : "lstm",
            LSTMOptions{
                .input = options_.input, .hidden = options_.hidden, .peepholes = peepholes, .dtype = DType::f64});
      RecurrentStackOptions o = stack_options(CellKind::lstm);
      o.projection = std::max<std::int64_t>(1, options_.hidden / 2);
      shifted("lstm, projection", RecurrentStack(o, generator_));
      ways(CellKind::lstm);
    }
    if (wanted(CellKind::gru)) {
      for (const Reset reset : {Reset::before, Reset::after})
        both_forms<GRU, textbook::GRU>(
            reset == Reset::before ? "gru reset before" : "gru reset after",
            GRUOptions{.input = options_.input, .hidden = options_.hidden, .reset = reset, .dtype = DType::f64});
      RecurrentStackOptions o = stack_options(CellKind::gru);
      o.layer_norm = true;
      o.reset = Reset::after;
      shifted("gru reset after, layer norm", RecurrentStack(o, generator_));
      ways(CellKind::gru);
    }
    if (options_.cells.empty()) {
      mixed();
      shifted("lstm of 1997",
              LSTM1997({.input = options_.input, .blocks = 2, .cells = 2, .dtype = DType::f64}, generator_));
      encoder_decoders();
    }
    return std::move(all_);
  }

 private:
  bool wanted(CellKind cell) const {
    return options_.cells.empty() ||
           std::find(options_.cells.begin(), options_.cells.end(), cell) != options_.cells.end();
  }

  template <class Packed, class Textbook, class Options> void both_forms(const std::string& layer, const Options& o) {
    Generator generator(options_.seed);
    const Packed packed(o, generator);
    shift(packed, generator);
    check(layer, packed, layer_options());
    check(layer + ", textbook", Textbook(packed), layer_options());
  }

  // What every kind of cell can be part of.
  void ways(CellKind kind) {
    const std::string name = to_string(kind);
    RecurrentStackOptions o = stack_options(kind);
    const RecurrentStack single(o, generator_);
    lengths(name, single);
    learned_state(name, single);
    o.layer_norm = true;
    shifted(name + ", layer norm", RecurrentStack(o, generator_));
    o.layer_norm = false;
    o.layers = 2;
    shifted(name + ", 2 layers", RecurrentStack(o, generator_));
    shifted(name + ", bidirectional", bidirectional(o, generator_));
    o.residual = true;
    o.dropout = 0.5;
    const RecurrentStack stack(o, generator_);
    shifted(name + ", residual, dropout", stack, [&](Var x, const auto& state) {
      Generator same(options_.seed);  // every evaluation drops the same
      return over_time(stack.with_dropout(same), x, state);
    });
  }

  // One of each, and a lambda, in one stack.
  void mixed() {
    const std::int64_t I = options_.input, H = options_.hidden;
    const RNN rnn({.input = I, .hidden = H, .dtype = DType::f64}, generator_);
    const LSTM lstm({.input = H, .hidden = H, .dtype = DType::f64}, generator_);
    const GRU gru({.input = H, .hidden = H, .dtype = DType::f64}, generator_);
    const auto decaying_sum = [](Var x, Var h) {
      const Var next = 0.5 * h + x;
      return std::pair{next, next};
    };
    const auto zero = [H](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, H}, DType::f64), "h"); };
    const Stack stack({rnn, lstm, gru, AnyCell("sum", decaying_sum, zero)});
    shifted("rnn, lstm, gru and a lambda", stack);
    lengths("rnn, lstm, gru and a lambda", stack);
  }

  // From a sequence of symbols to another, without and with attention.
  void encoder_decoders() {
    const std::int64_t H = options_.hidden;
    const auto model = [&](const std::string& name, const std::optional<DecoderAttention>& attention) {
      const auto cell = [&](const char* role) {
        return LSTM({.input = 3, .hidden = H, .name = role, .dtype = DType::f64}, generator_);
      };
      const Encoder encoder({.vocabulary = 5, .embedding = 3, .dtype = DType::f64}, cell("reader"), generator_);
      const Decoder decoder({.vocabulary = 5, .embedding = 3, .attention = attention, .dtype = DType::f64},
                            cell("writer"), generator_);
      shifted(name, EncoderDecoder(encoder, decoder));
    };
    model("encoder-decoder", std::nullopt);
    model("encoder-decoder, additive attention",
          DecoderAttention{.score = AttentionScore::additive, .source = H, .hidden = 3});
    model("encoder-decoder, dot attention", DecoderAttention{.score = AttentionScore::dot, .source = H});
  }

  // Sequences of different lengths, padded and packed.
  template <class Layer> void lengths(const std::string& name, const Layer& layer) {
    shift(layer, generator_);
    std::vector<std::int64_t> lengths;
    for (std::int64_t b = 0; b < options_.batch; ++b)
      lengths.push_back(b % 2 == 1 ? options_.steps : std::max<std::int64_t>(1, options_.steps - 1 - b / 2));
    LayerCheckOptions o = layer_options();
    o.over_time.lengths = lengths;
    check(name + ", lengths", layer, o);
    o.over_time = {.mask = length_mask(lengths, options_.steps), .reverse = true};
    check(name + ", mask, reverse", layer, o);
    o.over_time = {.lengths = lengths, .recompute = Recompute::revolve(2)};
    check(name + ", lengths, recomputed", layer, o);
    form(name + ", packed", [&] {
      return gradcheck(layer, layer_options(), [&](Var x, const auto& state) {
        auto result = over_time(layer, pack(x, lengths), state);
        return std::pair(unpack(result.outputs), result.state);
      });
    });
  }

  template <class Layer> void learned_state(const std::string& name, const Layer& layer) {
    const InitialState initial(layer);
    shift(initial, generator_);
    std::vector<Parameter> parameters = layer.parameters();
    parameters.insert(parameters.end(), initial.parameters().begin(), initial.parameters().end());
    const Array x = normal({options_.steps, options_.batch, options_.input}, 1, generator_, DType::f64);
    const auto program = [&](Tape& tape) {
      return over_time(layer, tape.constant(x), initial(tape, options_.batch)).stacked();
    };
    form(name + ", learned initial state",
         [&] { return gradcheck(std::function<Var(Tape&)>(program), parameters, layer_options().gradcheck); });
  }

  RecurrentStackOptions stack_options(CellKind kind) const {
    return {.cell = kind, .input = options_.input, .hidden = options_.hidden, .dtype = DType::f64};
  }

  LayerCheckOptions layer_options() const {
    return {.steps = options_.steps,
            .batch = options_.batch,
            .input = options_.input,
            .gradcheck = {.mode = options_.mode,
                          .order = options_.order,
                          .tolerance = options_.tolerance,
                          .directions = static_cast<int>(options_.directions),
                          .seed = options_.seed,
                          .curve = !options_.plot.empty()}};
  }

  // Biases start at 0 and gains at 1, where a mistake might not show.
  static void shift(const Module& layer, Generator& generator) {
    for (Parameter p : layer.parameters()) {
      Array& value = p.mutable_value();
      for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, value.flat(i) + generator.uniform(-0.1, 0.1));
    }
  }

  // With its parameters shifted; `unrolled` as gradcheck takes it.
  template <class Layer, class... Unrolled>
  void shifted(const std::string& name, const Layer& layer, const Unrolled&... unrolled) {
    shift(layer, generator_);
    form(name, [&] { return gradcheck(layer, layer_options(), unrolled...); });
  }
  template <class Layer> void check(const std::string& name, const Layer& layer, const LayerCheckOptions& o) {
    form(name, [&] { return gradcheck(layer, o); });
  }

  // Runs one form, if its name is wanted.
  template <class Check> void form(const std::string& name, const Check& check) {
    if (name.find(options_.form) != std::string::npos) all_.push_back({name, check()});
  }

  const CheckOptions& options_;
  Generator generator_{options_.seed};
  std::vector<CheckedForm> all_;
};

}  // namespace

std::vector<CheckedForm> check_forms(const CheckOptions& options) { return Checks(options).run(); }

}  // namespace unroll::cli
