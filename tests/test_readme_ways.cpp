#include "layers_support.hpp"

#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/stack.hpp>

// The lines of the README on sequences and time, word for word (tests/test_documents.cpp compares them).
namespace unroll::test {

TEST_CASE("README: the ways through over_time that it shows all work") {
  Generator generator(1);
  const LSTM lstm({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
  const LSTM lstm_back({.input = 3, .hidden = 3, .name = "lstm_back", .dtype = DType::f64}, generator);
  const GRU gru({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
  const auto sum = [](Var x, Var h) {
    const Var next = x + h;
    return std::pair(next, next);
  };
  const AnyCell my_cell("sum", sum, [](Tape& tape, std::int64_t batch) {
    return tape.constant(Array({batch, 3}, DType::f64), "h");
  });
  Tape tape;
  const Var xs = tape.constant(random_array({9, 3, 3}, generator), "x");
  const LSTM& cell = lstm;
  const LSTMState state = cell.zero_state(tape, 3);
  // clang-format off
  const auto padded =
over_time(cell, xs, state, {.lengths = {9, 4, 7}});                        // padded sequences; also a mask, packed, reversed
  const auto truncated =
over_time(cell, xs, state, {.truncate = Truncation{.k1 = 10, .k2 = 20}});  // truncated BPTT
  const auto recomputed =
over_time(cell, xs, state, {.recompute = Recompute::square_root()});       // full BPTT that keeps few states: 100,000 steps in 190 MiB
  const auto stack =
Stack({lstm, gru, my_cell}, {.dropout = 0.2, .residual = true});           // any mix, a cell again; with_dropout(generator) to train
  const auto both =
Bidirectional({{lstm, lstm_back}});                                        // both directions, any number of layers
  // clang-format on
  CHECK(same_bits(truncated.stacked().value(), recomputed.stacked().value()));
  CHECK(padded.outputs.back().value().at({1, 0}) == 0);
  CHECK(over_time(stack, xs).outputs.back().shape() == Shape{3, 3});
  CHECK(over_time(both, xs).outputs.back().shape() == Shape{3, 6});
}

}  // namespace unroll::test
