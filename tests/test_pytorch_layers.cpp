#include "pytorch_support.hpp"

#include <unroll/layers/gru.hpp>
#include <unroll/layers/textbook.hpp>

// Values and gradients of PyTorch's layers in float64, from tests/fixtures (see the README there).

namespace unroll::test {

namespace {

// Both forms of a layer; the textbook form takes its weights from the packed one.
template <class Textbook, class Packed>
void check_both(const Packed& packed, const json& file, const std::string& cell) {
  const Problem problem = problem_of(file);
  const Solution expected = take_solution(file, packed, cell);
  const std::size_t inputs = file.contains("c0") ? 3 : 2;
  REQUIRE(expected.gradients.size() == packed.parameters().size() + inputs);
  SUBCASE("packed") { check_equal(solve(packed, problem), expected, gates_of(cell)); }
  SUBCASE("textbook") {
    const Textbook textbook(packed);
    const Solution found = solve(textbook, problem);
    CHECK(found.gradients.size() == textbook.parameters().size() + inputs);
    check_equal(found, expected, gates_of(cell));
  }
}

void check_rnn(const std::string& name, Activation activation) {
  const json file = fixture(name);
  Generator generator(1);
  const RNN layer(
      {.input = file.at("input"), .hidden = file.at("hidden"), .activation = activation, .dtype = DType::f64},
      generator);
  check_both<textbook::RNN>(layer, file, "rnn");
}

void check_lstm(const std::string& name, bool peepholes) {
  const json file = fixture(name);
  Generator generator(1);
  const LSTM layer(
      {.input = file.at("input"), .hidden = file.at("hidden"), .peepholes = peepholes, .dtype = DType::f64}, generator);
  check_both<textbook::LSTM>(layer, file, "lstm");
}

void check_gru(const std::string& name, Reset reset) {
  const json file = fixture(name);
  Generator generator(1);
  const GRU layer({.input = file.at("input"), .hidden = file.at("hidden"), .reset = reset, .dtype = DType::f64},
                  generator);
  check_both<textbook::GRU>(layer, file, "gru");
}

}  // namespace

TEST_CASE("the tanh RNN has the values and gradients of torch.nn.RNN") { check_rnn("rnn_tanh.json", Activation::tanh); }

TEST_CASE("the relu RNN has the values and gradients of torch.nn.RNN") { check_rnn("rnn_relu.json", Activation::relu); }

TEST_CASE("the LSTM has the values and gradients of torch.nn.LSTM") { check_lstm("lstm.json", false); }

TEST_CASE("the LSTM with peepholes has the values and gradients of PyTorch's autograd") {
  check_lstm("lstm_peephole.json", true);
}

TEST_CASE("the GRU with the reset after the product has the values and gradients of torch.nn.GRU") {
  check_gru("gru.json", Reset::after);
}

TEST_CASE("the GRU with the reset before the product has the values and gradients of PyTorch's autograd") {
  check_gru("gru_reset_before.json", Reset::before);
}

}  // namespace unroll::test
