#include "layers_support.hpp"

#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>

// Options and shapes that layers refuse, with what they say.

namespace unroll::test {

namespace {

Array zeros(Shape shape) { return Array(std::move(shape), DType::f64); }

struct Layers {
  Generator generator{1};
  RNN rnn{{.input = 2, .hidden = 3, .dtype = DType::f64}, generator};
  LSTM lstm{{.input = 2, .hidden = 3, .dtype = DType::f64}, generator};
  GRU gru{{.input = 2, .hidden = 3, .dtype = DType::f64}, generator};
};

// over_time for an x of the shape given, from a state whose parts have the shapes given.
template <class Layer> void run(const Layer& layer, Shape x, Shape h, Shape c) {
  Tape tape;
  typename Layer::State state;
  state.h = tape.input(zeros(std::move(h)));
  if constexpr (std::is_same_v<typename Layer::State, LSTMState>) state.c = tape.input(zeros(std::move(c)));
  over_time(layer, tape.input(zeros(std::move(x))), state);
}

template <class Layer> void run(const Layer& layer, Shape x) {
  Tape tape;
  over_time(layer, tape.input(zeros(std::move(x))));
}

}  // namespace

TEST_CASE("options below 1 are refused by layer and option") {
  Generator generator(1);
  CHECK_THROWS_WITH_AS(RNN({.input = 0, .hidden = 3}, generator), "rnn: option input is 0, expected at least 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(LSTM({.input = 2, .hidden = -1, .name = "top"}, generator),
                       "top: option hidden is -1, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(GRU({.input = 2}, generator), "gru: option hidden is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(textbook::LSTM({.hidden = 3}, generator), "lstm: option input is 0, expected at least 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Linear({.input = 2}, generator), "linear: option output is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(Linear({.output = 2}, generator), "linear: option input is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(Embedding({.dimension = 2}, generator), "embedding: option vocabulary is 0, expected at least 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Embedding({.vocabulary = 2}, generator), "embedding: option dimension is 0, expected at least 1",
                       ShapeError);
}

TEST_CASE("a projection below 1, and a textbook form with options that it has not, are refused") {
  Generator generator(1);
  CHECK_THROWS_WITH_AS(LSTM({.input = 2, .hidden = 3, .projection = -1}, generator),
                       "lstm: option projection is -1, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(textbook::LSTM({.input = 2, .hidden = 3, .projection = 2}, generator),
                       "lstm: the textbook form has no projection: leave it out, or take the packed form", Error);
  CHECK_THROWS_WITH_AS(textbook::LSTM({.input = 2, .hidden = 3, .layer_norm = true}, generator),
                       "lstm: the textbook form has no layer normalisation: leave it out, or take the packed form",
                       Error);
  CHECK_THROWS_WITH_AS(textbook::GRU({.input = 2, .hidden = 3, .layer_norm = true}, generator),
                       "gru: the textbook form has no layer normalisation: leave it out, or take the packed form",
                       Error);
  CHECK_THROWS_WITH_AS(textbook::RNN({.input = 2, .hidden = 3, .layer_norm = true}, generator),
                       "rnn: the textbook form has no layer normalisation: leave it out, or take the packed form",
                       Error);
  const LSTM projected({.input = 2, .hidden = 3, .projection = 1, .dtype = DType::f64}, generator);
  CHECK_THROWS_WITH_AS(run(projected, {4, 5, 2}, {5, 3}, {5, 3}),
                       doctest::Contains("lstm: the state h has shape (5, 3), expected (5, 1)"), ShapeError);
}

TEST_CASE("initialisers refuse what is no matrix of equal blocks") {
  Generator generator(1);
  CHECK_THROWS_WITH_AS(glorot_uniform({3, 4}, generator, DType::f64, 3),
                       "glorot_uniform: (3, 4) is no matrix of 3 equal blocks of columns", ShapeError);
  CHECK_THROWS_WITH_AS(orthogonal({3}, generator), "orthogonal: (3) is no matrix of 1 equal blocks of columns",
                       ShapeError);
}

TEST_CASE("a sequence with the wrong number of features is refused at step 1 of the layer") {
  const Layers l;
  CHECK_THROWS_WITH_AS(run(l.lstm, {4, 5, 7}),
                       "lstm: the input x has shape (5, 7), expected (batch, 2)  [lstm, t = 1, node 7]", ShapeError);
  CHECK_THROWS_WITH_AS(run(l.rnn, {4, 5, 7}),
                       "rnn: the input x has shape (5, 7), expected (batch, 2)  [rnn, t = 1, node 6]", ShapeError);
  CHECK_THROWS_WITH_AS(run(l.gru, {4, 5, 7}),
                       "gru: the input x has shape (5, 7), expected (batch, 2)  [gru, t = 1, node 6]", ShapeError);
  CHECK_THROWS_WITH_AS(run(textbook::LSTM(l.lstm), {4, 5, 7}),
                       "lstm: the input x has shape (5, 7), expected (batch, 2)  [lstm, t = 1, node 7]", ShapeError);
  CHECK_THROWS_WITH_AS(run(textbook::GRU(l.gru), {4, 5, 7}),
                       "gru: the input x has shape (5, 7), expected (batch, 2)  [gru, t = 1, node 6]", ShapeError);
}

TEST_CASE("a state of another batch or width than the layer's is refused") {
  const Layers l;
  CHECK_THROWS_WITH_AS(run(l.lstm, {4, 5, 2}, {4, 3}, {4, 3}),
                       "lstm: the state h has shape (4, 3), expected (5, 3)  [lstm, t = 1, node 7]", ShapeError);
  CHECK_THROWS_WITH_AS(run(l.lstm, {4, 5, 2}, {5, 4}, {5, 3}),
                       "lstm: the state h has shape (5, 4), expected (5, 3)  [lstm, t = 1, node 7]", ShapeError);
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    for (const Shape& shape : {Shape{4, 3}, Shape{5, 4}, Shape{3}, Shape{1, 5, 3}}) {
      INFO("state ", to_string(shape));
      CHECK_THROWS_AS(run(packed, {4, 5, 2}, shape, shape), ShapeError);
      CHECK_THROWS_AS(run(textbook, {4, 5, 2}, shape, shape), ShapeError);
    }
  });
  CHECK_THROWS_AS(run(l.lstm, {4, 5, 2}, {5, 3}, {4, 3}), ShapeError);
}

TEST_CASE("both forms of a layer agree on which states they refuse: a single row is not repeated over the batch") {
  const Layers l;
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    CHECK_THROWS_AS(run(packed, {4, 5, 2}, {1, 3}, {1, 3}), ShapeError);
    CHECK_THROWS_AS(run(textbook, {4, 5, 2}, {1, 3}, {1, 3}), ShapeError);
  });
  CHECK_THROWS_AS(run(l.lstm, {4, 5, 2}, {5, 3}, {1, 3}), ShapeError);
}

TEST_CASE("a sequence that is not (time, batch, feature) is refused") {
  const Layers l;
  CHECK_THROWS_WITH_AS(run(l.lstm, {4}),
                       "over_time: the input has shape (4), expected (time, batch, feature) with at least one step",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      run(l.gru, {0, 5, 2}),
      "over_time: the input has shape (0, 5, 2), expected (time, batch, feature) with at least one step", ShapeError);
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    for (const Shape& shape : {Shape{}, Shape{4}, Shape{4, 2}, Shape{4, 2, 2, 2}}) {
      INFO("x ", to_string(shape));
      CHECK_THROWS_AS(run(packed, shape), ShapeError);
      CHECK_THROWS_AS(run(textbook, shape), ShapeError);
    }
  });
}

TEST_CASE("a float32 sequence and a float64 layer do not mix") {
  const Layers l;
  Tape tape;
  CHECK_THROWS_WITH_AS(over_time(l.lstm, tape.input(Array({4, 5, 2}))),
                       "affine: float32 x float64: operands must have one dtype (Array::as converts; layers have an "
                       "option dtype)  [lstm, t = 1, node 10]",
                       DTypeError);
}

TEST_CASE("a layer that refuses leaves the tape at the place it was at") {
  const Layers l;
  Tape tape;
  const Var x = tape.input(zeros({4, 5, 7}));
  CHECK_THROWS_AS(over_time(textbook::LSTM(l.lstm), x), ShapeError);
  CHECK(tape.place == Place{});
}

TEST_CASE("an empty state, and a state of another tape, are refused") {
  const Layers l;
  Tape tape, other;
  const Var x = tape.input(zeros({4, 5, 2}));
  CHECK_THROWS_WITH_AS(over_time(l.lstm, x, LSTMState{}),
                       "lstm: the state h is an empty Var: give it a value, or take zero_state  [lstm, t = 1, node 5]",
                       TapeError);
  CHECK_THROWS_WITH_AS(over_time(l.rnn, x, l.rnn.zero_state(other, 5)),
                       doctest::Contains("recorded on another tape than operand 0: one operation works on one tape"),
                       TapeError);
}

TEST_CASE("Linear refuses another number of features") {
  Generator generator(1);
  const Linear layer({.input = 2, .output = 4, .dtype = DType::f64}, generator);
  Tape tape;
  CHECK_THROWS_WITH_AS(layer(tape.input(zeros({3, 3}))),
                       "affine: (3, 3) x (2, 4) x (4): inner 3 != 2 (operands 0 and 1)  [linear, node 3]", ShapeError);
  CHECK_THROWS_AS(layer(tape.input(zeros({4, 3, 3}))), ShapeError);
}

TEST_CASE("Embedding refuses a symbol that is not in its table") {
  Generator generator(1);
  const Embedding layer({.vocabulary = 3, .dimension = 2}, generator);
  Tape tape;
  const std::vector<std::int64_t> high{0, 3}, negative{-1};
  CHECK_THROWS_WITH_AS(layer(tape, high),
                       "gather: (3, 2): index 1 is 3, expected 0 to 2 on axis 0  [embedding, node 1]", ShapeError);
  CHECK_THROWS_WITH_AS(layer(tape, negative),
                       "gather: (3, 2): index 0 is -1, expected 0 to 2 on axis 0  [embedding, node 1]", ShapeError);
}

}  // namespace unroll::test
