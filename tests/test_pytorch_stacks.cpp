#include "sequences_support.hpp"

#include <unroll/layers/recurrent_stack.hpp>

#include <nlohmann/json.hpp>

// Several layers, both directions, packed sequences, projections and layer normalisation: values, final states and gradients of PyTorch in float64,
// from tests/fixtures (see the README there).

namespace unroll::test {

namespace {

using nlohmann::json;

// A matrix of PyTorch's, which is the transpose of ours.
Array transposed(const Array& a) {
  Tape tape;
  return transpose(tape.constant(a)).value().copy();
}

// PyTorch's name of a parameter of ours: lstm2_backward.W_x is weight_ih_l1_reverse.
std::string their_name(const Parameter& p) {
  static const std::map<std::string, std::string> kinds{
      {"W_x", "weight_ih"}, {"W_h", "weight_hh"}, {"b", "bias_ih"}, {"b_h", "bias_hh"}, {"W_p", "weight_hr"}};
  const std::string layer = p.name().substr(0, p.name().find('.'));
  const std::size_t digit = layer.find_first_of("123456789");
  const int index = digit == std::string::npos ? 0 : layer[digit] - '1';
  return kinds.at(short_name(p)) + "_l" + std::to_string(index) + (layer.ends_with("_backward") ? "_reverse" : "");
}

Array theirs(const json& file, const std::string& name) {
  const Array array = tensor(file.at(name));
  return array.rank() == 2 ? transposed(array) : array;
}

// Takes PyTorch's weights, and gives its gradients by them. Where we have one bias, theirs are added; the gradient is that of either.
std::vector<Array> take(const json& file, const Module& layers, bool one_bias) {
  std::vector<Array> gradients;
  for (Parameter p : layers.parameters()) {
    const std::string name = their_name(p);
    Array value = theirs(file, name);
    if (one_bias && short_name(p) == "b") {
      const Array other = theirs(file, "bias_hh" + name.substr(7));
      for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, value.flat(i) + other.flat(i));
    }
    p.assign(value);
    gradients.push_back(theirs(file, "grad_" + name));
  }
  return gradients;
}

// The states of all layers in our order, h and then c of each, from PyTorch's (layers x directions, batch, units).
std::vector<Array> states(const json& file, const std::string& h, const std::string& c) {
  std::vector<Array> all;
  const Array hs = tensor(file.at(h)), cs = file.contains(c) ? tensor(file.at(c)) : Array();
  for (std::int64_t i = 0; i < hs.shape()[0]; ++i)
    for (const Array* from : {&hs, &cs})
      if (from->rank() == 3) {
        const Array one = part(*from, 0, i, 1);
        all.push_back(one.reshaped({one.shape()[1], one.shape()[2]}));
      }
  return all;
}

RecurrentStackOptions options_of(const json& file, CellKind cell) {
  return {.cell = cell,
          .input = file.at("input"),
          .hidden = file.at("hidden"),
          .layers = file.at("layers"),
          .reset = Reset::after,
          .projection = file.at("projection"),
          .dtype = DType::f64};
}

struct Case {
  Ragged problem;
  Unrolled expected;
};

template <class Layers> Case case_of(const json& file, const Layers& layers, CellKind cell) {
  const Array x = tensor(file.at("x"));
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(x.shape()[1]), x.shape()[0]);
  if (file.contains("lengths")) lengths = file.at("lengths").get<std::vector<std::int64_t>>();
  const std::vector<Array> gradients = take(file, layers, cell != CellKind::gru);
  return {{lengths, x, tensor(file.at("d_output")), states(file, "h0", "c0"), states(file, "d_h_n", "d_c_n")},
          {tensor(file.at("output")), states(file, "h_n", "c_n"), tensor(file.at("grad_x")),
           states(file, "grad_h0", "grad_c0"), gradients}};
}

template <class Layers> void check_padded(const Layers& layers, const Case& c, const OverTimeOptions& options = {}) {
  check_equal(solve_together(subject(layers), c.problem,
                             [&](Var x, auto state) {
                               auto sequence = over_time(layers, x, state, options);
                               return std::pair(sequence.outputs, sequence.state);
                             }),
              c.expected);
}

void check_stack(const std::string& name, CellKind cell) {
  const json file = fixture(name);
  Generator generator(1);
  const RecurrentStack stack(options_of(file, cell), generator);
  check_padded(stack, case_of(file, stack, cell));
}

template <class Layer> void check_normalised(const std::string& name, const Layer& layer) {
  const json file = fixture(name);
  const auto optional = [&](const char* key) { return file.contains(key) ? tensor(file.at(key)) : Array(); };
  Solution expected{tensor(file.at("output")), tensor(file.at("h_n")), optional("c_n"), {}};
  for (const std::string leaf : {"x", "h0", "c0"})
    if (file.contains(leaf)) expected.gradients[leaf] = tensor(file.at("grad_" + leaf));
  for (Parameter p : layer.parameters()) {
    p.assign(tensor(file.at(short_name(p))));
    expected.gradients[short_name(p)] = tensor(file.at("grad_" + short_name(p)));
  }
  const Problem problem{tensor(file.at("x")),        tensor(file.at("h0")),    optional("c0"),
                        tensor(file.at("d_output")), tensor(file.at("d_h_n")), optional("d_c_n")};
  check_equal(solve(layer, problem), expected, "");
}

}  // namespace

TEST_CASE("PyTorch: two layers of RNN, LSTM and GRU") {
  check_stack("rnn_2_layers.json", CellKind::rnn);
  check_stack("lstm_2_layers.json", CellKind::lstm);
  check_stack("gru_2_layers.json", CellKind::gru);
}

TEST_CASE("PyTorch: two layers of LSTM with a projection") { check_stack("lstm_projection.json", CellKind::lstm); }

TEST_CASE("PyTorch: a bidirectional GRU") {
  const json file = fixture("gru_bidirectional.json");
  Generator generator(1);
  const Bidirectional layers = bidirectional(options_of(file, CellKind::gru), generator);
  check_padded(layers, case_of(file, layers, CellKind::gru));
}

TEST_CASE("PyTorch: two bidirectional layers of LSTM over sequences of different lengths, padded and packed") {
  const json file = fixture("lstm_bidirectional_packed.json");
  Generator generator(1);
  const Bidirectional layers = bidirectional(options_of(file, CellKind::lstm), generator);
  const Case c = case_of(file, layers, CellKind::lstm);
  check_padded(layers, c, {.lengths = c.problem.lengths});
  check_equal(solve_together(subject(layers), c.problem,
                             [&](Var x, auto state) {
                               auto result = over_time(layers, pack(x, c.problem.lengths), state);
                               return std::pair(unpack(result.outputs), result.state);
                             }),
              c.expected);
}

TEST_CASE("PyTorch: layer-normalised RNN, LSTM and GRU, by F.layer_norm") {
  Generator generator(1);
  check_normalised("rnn_layer_norm.json",
                   RNN({.input = 2, .hidden = 3, .layer_norm = true, .dtype = DType::f64}, generator));
  check_normalised("lstm_layer_norm.json",
                   LSTM({.input = 2, .hidden = 3, .layer_norm = true, .dtype = DType::f64}, generator));
  check_normalised(
      "gru_layer_norm.json",
      GRU({.input = 2, .hidden = 3, .reset = Reset::after, .layer_norm = true, .dtype = DType::f64}, generator));
  check_normalised(
      "gru_layer_norm_reset_before.json",
      GRU({.input = 2, .hidden = 3, .reset = Reset::before, .layer_norm = true, .dtype = DType::f64}, generator));
}

}  // namespace unroll::test
