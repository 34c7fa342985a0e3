#include "pytorch_support.hpp"
#include "sequences_support.hpp"

#include <unroll/layers/recurrent_stack.hpp>

// Several layers, both directions, packed sequences, projections and layer normalisation: values, final states and gradients of PyTorch in float64,
// from tests/fixtures (see the README there).

namespace unroll::test {

namespace {

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
  const std::vector<Array> gradients = take(file, layers, to_string(cell));
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
  const std::string cell = name.substr(0, name.find('_'));
  const Solution expected = take_solution(file, layer, cell);
  check_equal(solve(layer, problem_of(file)), expected, gates_of(cell));
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
