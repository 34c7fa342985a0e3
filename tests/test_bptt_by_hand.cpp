#include "bptt_by_hand.hpp"

#include <unroll/layers/textbook.hpp>

// The gradients of the engine against backpropagation through time derived by hand (bptt_by_hand.hpp).

namespace unroll::test {

namespace {

// Calls body(time, batch, input, hidden, generator) for several lengths, each with sizes of its own.
template <class Body> void for_random_sizes(std::uint64_t seed, Body&& body) {
  Generator generator(seed);
  const auto size = [&] { return static_cast<std::int64_t>(1 + generator.below(5)); };
  for (const std::int64_t time : {1, 2, 7})
    for (int repetition = 0; repetition < 3; ++repetition) {
      const std::int64_t batch = size(), input = size(), hidden = size();
      INFO("time ", time, ", batch ", batch, ", input ", input, ", hidden ", hidden);
      body(time, batch, input, hidden, generator);
    }
}

void check_rnn(Activation activation) {
  for_random_sizes(11, [&](auto time, auto batch, auto input, auto hidden, Generator& generator) {
    const RNN layer({.input = input, .hidden = hidden, .activation = activation, .dtype = DType::f64}, generator);
    randomize(layer, generator);
    const Problem problem = random_problem(time, batch, input, hidden, false, generator);
    const Solution expected = by_hand::rnn(layer, problem);
    check_equal(solve(layer, problem), expected, "");
    check_equal(solve(textbook::RNN(layer), problem), expected, "");
  });
}

void check_gru(Reset reset) {
  for_random_sizes(13, [&](auto time, auto batch, auto input, auto hidden, Generator& generator) {
    const GRU layer({.input = input, .hidden = hidden, .reset = reset, .dtype = DType::f64}, generator);
    randomize(layer, generator);
    const Problem problem = random_problem(time, batch, input, hidden, false, generator);
    const Solution expected = by_hand::gru(layer, problem);
    check_equal(solve(layer, problem), expected, "rzn");
    check_equal(solve(textbook::GRU(layer), problem), expected, "rzn");
  });
}

}  // namespace

TEST_CASE("gradients of the tanh RNN equal BPTT derived by hand") { check_rnn(Activation::tanh); }

TEST_CASE("gradients of the relu RNN equal BPTT derived by hand") { check_rnn(Activation::relu); }

TEST_CASE("gradients of the LSTM equal BPTT derived by hand") {
  for_random_sizes(12, [&](auto time, auto batch, auto input, auto hidden, Generator& generator) {
    const LSTM layer({.input = input, .hidden = hidden, .dtype = DType::f64}, generator);
    randomize(layer, generator);
    const Problem problem = random_problem(time, batch, input, hidden, true, generator);
    const Solution expected = by_hand::lstm(layer, problem);
    check_equal(solve(layer, problem), expected, "ifgo");
    check_equal(solve(textbook::LSTM(layer), problem), expected, "ifgo");
  });
}

TEST_CASE("gradients of the GRU with the reset before the product equal BPTT derived by hand") {
  check_gru(Reset::before);
}

TEST_CASE("gradients of the GRU with the reset after the product equal BPTT derived by hand") {
  check_gru(Reset::after);
}

}  // namespace unroll::test
