#include "optimizers_support.hpp"
#include "pytorch_support.hpp"

#include <unroll/layers/attention.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/optim/clipping.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>

#include <fmt/format.h>

// Random configurations against PyTorch: those of tests/fixtures/witness.json, or of the folder that the environment variable UNROLL_WITNESS
// names (scripts/pytorch-witness draws fresh ones).

namespace unroll::test {

namespace {

// Equal shapes, and |a - b| <= tolerance * the largest magnitude in either array: a sum that nearly cancels keeps no relative precision of its own.
constexpr double tolerance = 1e-10;

double largest_magnitude(const ArrayView& a) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a.flat(i)));
  return largest;
}

// Compares arrays with PyTorch's, and remembers how many and where the largest difference was.
class Witness {
 public:
  void begin(const std::string& configuration) { configuration_ = configuration; }

  void compare(const std::string& name, const ArrayView& found, const Array& expected) {
    const double scale = std::max(largest_magnitude(found), largest_magnitude(expected));
    INFO(name);
    CHECK(close(found, expected, tolerance * scale, 0));
    ++arrays_;
    if (found.shape != expected.shape()) return;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double off = std::abs(found.flat(i) - expected.flat(i));
      const double difference = off == 0 ? 0 : off / scale;
      if (difference > largest_ || std::isnan(difference)) {
        largest_ = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
        where_ = name + " of " + configuration_;
      }
    }
  }

  std::string summary(std::size_t configurations) const {
    return fmt::format("witness: {} configurations, {} arrays compared, largest relative difference {:.2g}{}",
                       configurations, arrays_, largest_, where_.empty() ? "" : " (" + where_ + ")");
  }

 private:
  std::string configuration_, where_;
  std::size_t arrays_ = 0;
  double largest_ = 0;
};

// ---- recurrent layers

// A cell of the configuration, in its packed or its textbook form.
template <class RNNForm, class LSTMForm, class GRUForm>
AnyCell make_cell(const json& c, std::int64_t input, const std::string& name) {
  Generator generator(1);
  const std::int64_t hidden = c.at("hidden");
  if (c.at("cell") == "rnn")
    return RNNForm({.input = input,
                    .hidden = hidden,
                    .activation = c.at("relu") ? Activation::relu : Activation::tanh,
                    .layer_norm = c.at("layer_norm"),
                    .name = name,
                    .dtype = DType::f64},
                   generator);
  if (c.at("cell") == "lstm")
    return LSTMForm({.input = input,
                     .hidden = hidden,
                     .peepholes = c.at("peepholes"),
                     .layer_norm = c.at("layer_norm"),
                     .projection = c.at("projection"),
                     .name = name,
                     .dtype = DType::f64},
                    generator);
  return GRUForm({.input = input,
                  .hidden = hidden,
                  .reset = c.at("reset_before") ? Reset::before : Reset::after,
                  .layer_norm = c.at("layer_norm"),
                  .name = name,
                  .dtype = DType::f64},
                 generator);
}

// The way through the sequences, and through their backward pass.
struct Way {
  std::string name;
  bool packed, recorded;
};

template <class Layers> void check_way(const json& c, const Layers& layers, const Way& way, Witness& witness) {
  INFO(way.name);
  const std::string cell = c.at("cell");
  const std::vector<Array> expected = take(c, layers, cell);
  const std::int64_t time = c.at("time"), batch = c.at("batch"), input = c.at("input");
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(batch), time);
  if (c.contains("lengths")) lengths = c.at("lengths").get<std::vector<std::int64_t>>();

  Tape tape;
  Generator generator(1);
  std::optional<Embedding> embedding;
  Var x;
  if (c.contains("symbols")) {
    const Array table = tensor(c.at("embedding"));
    embedding.emplace(EmbeddingOptions{.vocabulary = table.shape()[0], .dimension = input, .dtype = DType::f64},
                      generator);
    embedding->E.assign(table);
    x = reshape((*embedding)(tape, integers(c.at("symbols"))), {time, batch, input});
  } else {
    x = tape.input(tensor(c.at("x")), "x");
  }
  auto state = layers.zero_state(tape, batch);
  std::vector<Var> initial;
  for (const Array& array : states(c, "h0", "c0")) initial.push_back(tape.input(array));
  if (!initial.empty()) state = with_vars(state, initial);

  std::vector<Var> outputs;
  if (way.packed) {
    auto result = over_time(layers, pack(x, lengths), state);
    outputs = unpack(result.outputs);
    state = result.state;
    const Array beyond(outputs[0].shape(), DType::f64);
    while (std::ssize(outputs) < time) outputs.push_back(tape.constant(beyond));
  } else {
    OverTimeOptions options;
    if (c.contains("lengths")) options.lengths = lengths;
    auto sequence = over_time(layers, x, state, options);
    outputs = sequence.outputs;
    state = sequence.state;
  }
  const Var output = stack(outputs, 0);
  const std::vector<Var> last = state_vars(state);

  std::optional<Linear> head;
  Var loss;
  if (c.at("loss_of") == "output") {
    loss = sum(output * tape.constant(tensor(c.at("d_output"))));
  } else {
    const Array W = transposed(tensor(c.at("head_weight")));
    head.emplace(LinearOptions{.input = W.shape()[0], .output = W.shape()[1], .dtype = DType::f64}, generator);
    head->W.assign(W);
    head->b.assign(tensor(c.at("head_bias")));
    const Var prediction = (*head)(output);
    const Array mask = length_mask(lengths, time);
    if (c.at("loss_of") == "cross entropy")
      loss = cross_entropy(prediction, integers(c.at("targets")), mask.span<double>());
    else
      loss = mse(prediction, tape.constant(tensor(c.at("target"))), mask);
  }
  const std::vector<Array> d_last = states(c, "d_h_n", "d_c_n");
  REQUIRE(last.size() == d_last.size());
  for (std::size_t i = 0; i < last.size(); ++i) loss = loss + sum(last[i] * tape.constant(d_last[i]));
  const Gradients gradients = backward(loss, {.create_graph = way.recorded});

  witness.compare("output", output.value(), tensor(c.at("output")));
  witness.compare("loss", loss.value(), Array::scalar(c.at("loss")));
  const std::vector<Array> h_n = states(c, "h_n", "c_n"), d_initial = states(c, "grad_h0", "grad_c0");
  const std::string both = cell == "lstm" ? ", of h and c in turn" : "";
  for (std::size_t i = 0; i < last.size(); ++i)
    witness.compare(fmt::format("last state {}{}", i, both), last[i].value(), h_n[i]);
  REQUIRE(initial.size() == d_initial.size());
  for (std::size_t i = 0; i < initial.size(); ++i)
    witness.compare(fmt::format("gradient by initial state {}{}", i, both), gradients[initial[i]], d_initial[i]);
  for (std::size_t i = 0; i < expected.size(); ++i)
    witness.compare("gradient by " + layers.parameters()[i].name(), gradients[layers.parameters()[i]], expected[i]);
  if (embedding)
    witness.compare("gradient by the embedding", gradients[embedding->E], tensor(c.at("grad_embedding")));
  else
    witness.compare("gradient by x", gradients[x], tensor(c.at("grad_x")));
  if (head) {
    witness.compare("gradient by head.W", gradients[head->W], transposed(tensor(c.at("grad_head_weight"))));
    witness.compare("gradient by head.b", gradients[head->b], tensor(c.at("grad_head_bias")));
  }
}

template <class Layers>
void check_layers(const json& c, const std::string& form, const Layers& layers, Witness& witness) {
  INFO(form);
  for (const Way& way : {Way{"padded", false, false}, Way{"padded, backward pass recorded", false, true},
                         Way{"packed sequences", true, false}})
    check_way(c, layers, way, witness);
}

using MakeCell = AnyCell (*)(const json&, std::int64_t, const std::string&);

// Layers of such cells.
void check_cells(const json& c, const std::string& form, MakeCell make, Witness& witness) {
  const bool both = c.at("bidirectional");
  const std::int64_t projection = c.at("projection"), hidden = c.at("hidden");
  const std::int64_t output = (projection > 0 ? projection : hidden) * (both ? 2 : 1);
  std::vector<AnyCell> cells;
  std::vector<BothDirections> pairs;
  for (std::int64_t i = 1; i <= c.at("layers"); ++i) {
    const std::int64_t input = i == 1 ? c.at("input").get<std::int64_t>() : output;
    const std::string name = c.at("cell").get<std::string>() + std::to_string(i);
    if (both)
      pairs.push_back({make(c, input, name + "_forward"), make(c, input, name + "_backward")});
    else
      cells.push_back(make(c, input, name));
  }
  if (both)
    check_layers(c, form, Bidirectional(pairs), witness);
  else
    check_layers(c, form, Stack(cells, {.residual = c.at("residual")}), witness);
}

// The layers of whoever names a kind of cell, which have neither of the two options that are left out.
void check_kind(const json& c, Witness& witness) {
  if (c.at("relu") || c.at("peepholes")) return;
  const RecurrentStackOptions options{.cell = cell_kind(c.at("cell").get<std::string>()).value(),
                                      .input = c.at("input"),
                                      .hidden = c.at("hidden"),
                                      .layers = c.at("layers"),
                                      .reset = c.at("reset_before") ? Reset::before : Reset::after,
                                      .layer_norm = c.at("layer_norm"),
                                      .projection = c.at("projection"),
                                      .residual = c.at("residual"),
                                      .dtype = DType::f64};
  Generator generator(1);
  if (c.at("bidirectional"))
    check_layers(c, "bidirectional()", bidirectional(options, generator), witness);
  else
    check_layers(c, "RecurrentStack", RecurrentStack(options, generator), witness);
}

void check_recurrent(const json& c, Witness& witness) {
  check_kind(c, witness);
  check_cells(c, "packed gates", make_cell<RNN, LSTM, GRU>, witness);
  if (!c.at("layer_norm") && c.at("projection") == 0)
    check_cells(c, "textbook", make_cell<textbook::RNN, textbook::LSTM, textbook::GRU>, witness);
}

// ---- attention and optimisers

void check_attention(const json& c, Witness& witness) {
  const std::map<std::string, AttentionScore> scores{
      {"additive", AttentionScore::additive}, {"dot", AttentionScore::dot}, {"scaled dot", AttentionScore::scaled_dot}};
  Tape tape;
  Generator generator(1);
  const Var outputs = tape.input(tensor(c.at("outputs"))), query = tape.input(tensor(c.at("query")));
  const Attention attention({.score = scores.at(c.at("score")),
                             .query = query.shape()[1],
                             .source = outputs.shape()[2],
                             .hidden = c.contains("v") ? tensor(c.at("v")).shape()[0] : 0,
                             .dtype = DType::f64},
                            generator);
  for (Parameter p : attention.parameters()) p.assign(tensor(c.at(short_name(p))));
  const auto lengths = c.at("lengths").get<std::vector<std::int64_t>>();
  const Attended attended = attention(query, attention.source(time_steps(outputs), lengths));
  const Var from_context = sum(attended.context * tape.constant(tensor(c.at("d_context"))));
  const Var from_weights = sum(attended.weights * tape.constant(tensor(c.at("d_attended"))));
  const Gradients gradients = backward(from_context + from_weights);

  witness.compare("context", attended.context.value(), tensor(c.at("context")));
  witness.compare("weights", attended.weights.value(), tensor(c.at("attended")));
  witness.compare("gradient by the outputs", gradients[outputs], tensor(c.at("grad_outputs")));
  witness.compare("gradient by the query", gradients[query], tensor(c.at("grad_query")));
  for (const Parameter& p : attention.parameters())
    witness.compare("gradient by " + p.name(), gradients[p], tensor(c.at("grad_" + short_name(p))));
}

void check_optimizer(const json& c, Witness& witness) {
  const std::vector<Parameter> parameters{Parameter("parameter 0", tensor(c.at("parameter0"))),
                                          Parameter("parameter 1", tensor(c.at("parameter1")))};
  const auto optimizer = pytorch_optimizer(c.at("optimizer"), c.at("options"), parameters);
  Tape tape;
  for (int step = 0; step < c.at("steps"); ++step) {
    const auto at_step = [&](const std::string& what, std::size_t i) {
      return tensor(c.at(fmt::format("{}{}_{}", what, i, step)));
    };
    Gradients gradients = gradients_of(tape, parameters, {at_step("gradient", 0), at_step("gradient", 1)});
    if (c.at("clip") == "norm") clip_by_norm(gradients, c.at("limit"));
    if (c.at("clip") == "value") clip_by_value(gradients, c.at("limit"));
    optimizer->step(gradients);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      witness.compare(fmt::format("{} after step {}", parameters[i].name(), step + 1), parameters[i].value(),
                      at_step("after", i));
  }
}

json witness_file(const char* folder) {
  if (folder == nullptr) return fixture("witness.json");
  const std::string path = std::string(folder) + "/witness.json";
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path << " (UNROLL_WITNESS) cannot be read");
  return json::parse(file);
}

}  // namespace

TEST_CASE("PyTorch as witness: random configurations have its values and gradients") {
  const std::map<std::string, void (*)(const json&, Witness&)> checks{
      {"recurrent", check_recurrent}, {"attention", check_attention}, {"optimizer", check_optimizer}};
  const char* folder = std::getenv("UNROLL_WITNESS");
  const json configurations = witness_file(folder);
  Witness witness;
  for (const json& c : configurations) {
    const std::string name = c.at("name");
    INFO(name);
    witness.begin(name);
    checks.at(c.at("kind"))(c, witness);
  }
  if (folder != nullptr) fmt::print("{}\n", witness.summary(configurations.size()));
}

TEST_CASE("PyTorch as witness: the configurations that are kept have every option") {
  std::map<std::string, int> count;
  const auto is_on = [](const json& value) { return value.is_boolean() ? value.get<bool>() : value != 0; };
  for (const json& c : fixture("witness.json")) {
    for (const char* key : {"relu", "peepholes", "reset_before", "layer_norm", "bidirectional", "projection",
                            "residual", "from_zeros", "lengths", "sorted", "symbols"})
      if (c.contains(key) && is_on(c.at(key))) ++count[key];
    for (const char* key : {"kind", "cell", "loss_of", "score", "optimizer", "clip"})
      if (c.contains(key)) ++count[c.at(key).get<std::string>()];
    if (c.contains("layers")) ++count[fmt::format("{} layers", c.at("layers").get<int>())];
  }
  for (const std::string option :
       {"relu",       "peepholes",  "reset_before", "layer_norm", "bidirectional", "projection",    "residual",
        "from_zeros", "lengths",    "sorted",       "symbols",    "recurrent",     "attention",     "optimizer",
        "rnn",        "lstm",       "gru",          "output",     "cross entropy", "squared error", "additive",
        "dot",        "scaled dot", "1 layers",     "2 layers",   "3 layers",      "value",         "norm"}) {
    INFO(option);
    CHECK(count[option] > 0);
  }
}

}  // namespace unroll::test
