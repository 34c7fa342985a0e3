#include "sequences_support.hpp"

#include <unroll/core/tape/op.hpp>
#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/initial_state.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/stack.hpp>

#include <cmath>
#include <set>

// Layers one above the other, in both directions, with residual connections and dropout, and first states that are learned.

namespace unroll::test {

namespace {

// A lambda with a struct of its own as state, wrapped with the parameter it uses: a leaky integrator with a counter of its steps.
struct Leak {
  Var level, count;
};
AnyCell leaky(std::int64_t width, Generator& generator) {
  const Parameter rate("leaky.rate", random_array({width}, generator));
  return {"leaky",
          [rate](Var x, const Leak& before) {
            Tape& tape = x.tape();
            const Scope scope(tape, "leaky");
            const Var kept = sigmoid(tape.use(rate)) * before.level;
            const Var level = (kept + x).named("level"), count = (before.count + 1).named("count");
            return std::pair{tanh(level), Leak{level, count}};
          },
          [width](Tape& tape, std::int64_t batch) {
            return Leak{tape.constant(Array({batch, width}, DType::f64), "level"),
                        tape.constant(Array({batch}, DType::f64), "count")};
          },
          {rate}};
}

Stack mixed(Generator& generator, const StackOptions& options = {}) {
  const LSTM below({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GRU middle({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
  const textbook::RNN above({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
  const Stack stack({below, middle, leaky(3, generator), above}, options);
  randomize(stack, generator);
  return stack;
}

RecurrentStackOptions layers_of(CellKind cell, std::int64_t layers) {
  return {.cell = cell, .input = 2, .hidden = 3, .layers = layers, .dtype = DType::f64};
}

}  // namespace

TEST_CASE("stack: layers of any kind, and a lambda, are the layers one after the other") {
  Generator generator(21);
  const LSTM below({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const RNN above({.input = 3, .hidden = 4, .dtype = DType::f64}, generator);
  const AnyCell between = leaky(3, generator);
  const Stack stack({below, between, above});
  Tape tape;
  const Var x = tape.input(random_array({4, 2, 2}, generator));
  const auto together = over_time(stack, x);
  const auto first = over_time(below, x);
  const auto second = over_time(between, first.stacked());
  const auto third = over_time(above, second.stacked());
  CHECK(same_bits(together.stacked().value(), third.stacked().value()));
  REQUIRE(together.state.size() == 3);
  CHECK(same_bits(together.state[0][1].value(), first.state.c.value()));
  CHECK(close(together.state[1][1].value(), Array({2}, {4, 4}), 0, 0));  // it counted the steps
  CHECK(same_bits(together.state[2][0].value(), third.state.h.value()));
  CHECK(stack.parameter_count() == below.parameter_count() + 3 + above.parameter_count());
  CHECK(tape.path(together.state[0][0].node().place.scope) == "lstm");
}

TEST_CASE("stack: sequences of different lengths have the values and gradients of themselves alone") {
  Generator generator(22);
  check_ragged(subject(mixed(generator)), 2, 3, generator);
  check_ragged(subject(mixed(generator, {.residual = true})), 2, 3, generator);
  for (CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    check_ragged(subject(RecurrentStack(layers_of(cell, 2), generator)), 2, 3, generator);
}

TEST_CASE("stack: a stack stands in another stack, and shared layers count once") {
  Generator generator(23);
  const GRU layer({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  const Stack twice({layer, layer}), nested({twice, layer});
  CHECK(nested.parameter_count() == layer.parameter_count());
  Tape tape;
  const Var x = tape.input(random_array({3, 2, 2}, generator));
  CHECK(
      same_bits(over_time(nested, x).stacked().value(), over_time(Stack({layer, layer, layer}), x).stacked().value()));
}

TEST_CASE("stack: a residual layer adds what it saw, from the second layer up") {
  Generator generator(24);
  const RNN below({.input = 2, .hidden = 2, .name = "below", .dtype = DType::f64}, generator),
      above({.input = 2, .hidden = 2, .name = "above", .dtype = DType::f64}, generator);
  const Stack stack({below, above}, {.residual = true});
  Tape tape;
  const Var x = tape.input(random_array({3, 2, 2}, generator));
  const Var middle = over_time(below, x).stacked();
  const Var expected = middle + over_time(above, middle).stacked();
  CHECK(close(over_time(stack, x).stacked().value(), expected.value(), 1e-15, 0));
  const RNN wide({.input = 2, .hidden = 3, .name = "wide", .dtype = DType::f64}, generator);
  CHECK_THROWS_WITH_AS(over_time(Stack({below, wide}, {.residual = true}), x),
                       "stack: residual: layer 2 (wide) makes (2, 3) of (2, 2), expected the same shape", ShapeError);
}

TEST_CASE("stack: dropout is between the layers only, drawn from the generator given, and only when switched on") {
  Generator generator(25);
  RecurrentStackOptions o = layers_of(CellKind::lstm, 3);
  o.dropout = 0.5;
  const RecurrentStack stack(o, generator);
  Tape tape;
  const Var x = tape.input(random_array({4, 2, 2}, generator));
  const auto dropped = [&](std::size_t from) {
    std::size_t n = 0;
    for (NodeId id = static_cast<NodeId>(from); id < tape.size(); ++id) n += tape[id].op->name == "dropout";
    return n;
  };
  const Array without = over_time(stack, x).stacked().value().copy();
  CHECK(dropped(0) == 0);
  const auto run = [&](std::uint64_t seed) {
    Generator own(seed);
    return over_time(stack.with_dropout(own), x);
  };
  const std::size_t before = tape.size();
  const auto first = run(1);
  CHECK(dropped(before) == 2 * 4);  // two places between three layers, at each of four steps
  CHECK(same_bits(first.stacked().value(), run(1).stacked().value()));
  CHECK_FALSE(close(first.stacked().value(), run(2).stacked().value(), 1e-3, 0));
  CHECK(same_bits(over_time(stack, x).stacked().value(), without));  // the stack itself is as it was
  CHECK(first.outputs[3] == first.state[2][0]);                      // what the top puts out is not dropped
  Generator own(1);
  CHECK(stack.with_dropout(own).parameters() == stack.parameters());
}

TEST_CASE("stack: with dropout the layer above sees what dropout() gives it") {
  Generator generator(33);
  const RNN below({.input = 2, .hidden = 6, .dtype = DType::f64}, generator);
  const GRU above({.input = 6, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const Var x = tape.constant(random_array({4, 2}, generator));
  const auto [h, state] = below(x, below.zero_state(tape, 4));
  Generator first(5), second(5);
  const Var expected = above(dropout(h, 0.5, first), above.zero_state(tape, 4)).first;
  const Stack stack({below, above}, {.dropout = 0.5});
  CHECK(same_bits(stack.with_dropout(second)(x, stack.zero_state(tape, 4)).first.value(), expected.value()));
}

TEST_CASE("stack and bidirectional: cells of one name stand in scopes of their own on the tape") {
  Generator generator(1);
  const GRU a({.input = 2, .hidden = 2, .dtype = DType::f64}, generator), b(a.options, generator);
  const auto scopes = [](const Tape& tape) {
    std::set<std::string> found;
    for (NodeId id = 0; id < tape.size(); ++id)
      if (tape.name(id) == "h" && tape[id].place.step == 1) found.insert(tape.path(tape[id].place.scope));
    return found;
  };
  Tape stacked, both;
  over_time(Stack({a, b}), stacked.constant(random_array({2, 1, 2}, generator)));
  CHECK(scopes(stacked) == std::set<std::string>{"1/gru", "2/gru"});
  over_time(Bidirectional({{a, b}}), both.constant(random_array({2, 1, 2}, generator)));
  CHECK(scopes(both) == std::set<std::string>{"1 backward/gru", "1 forward/gru"});

  const GRU above({.input = 4, .hidden = 2, .dtype = DType::f64}, generator);
  const Bidirectional layers({{a, b}, {above, above}});
  Tape several;
  over_time(layers, several.constant(random_array({1, 1, 2}, generator)));  // one step is enough
  CHECK(scopes(several) == std::set<std::string>{"1 backward/gru", "1 forward/gru", "2 backward/gru", "2 forward/gru"});
  CHECK(over_time(layers, std::vector<Var>{}, layers.zero_state(several, 1)).outputs.empty());
}

TEST_CASE("recurrent stack: a layer above a projection is as wide as that, one number as well") {
  Generator generator(32);
  for (const std::int64_t projection : {1, 2}) {
    RecurrentStackOptions o = layers_of(CellKind::lstm, 2);
    o.projection = projection;
    Tape tape;
    const Var x = tape.constant(random_array({2, 3, 2}, generator));
    CHECK(over_time(RecurrentStack(o, generator), x).outputs[1].shape() == Shape{3, projection});
    CHECK(over_time(bidirectional(o, generator), x).outputs[1].shape() == Shape{3, 2 * projection});
  }
}

TEST_CASE("recurrent stack: a cell is found by its name in letters of either case, and other names are none") {
  CHECK(cell_kind("RNN") == CellKind::rnn);
  CHECK(cell_kind("Lstm") == CellKind::lstm);
  CHECK(cell_kind("LSTM") == CellKind::lstm);
  CHECK(cell_kind("gru") == CellKind::gru);
  CHECK(cell_kind("GRU") == CellKind::gru);
  for (const char* name : {"", "lst", "lstm2", "l$tm", "ELMAN"}) CHECK(cell_kind(name) == std::nullopt);
}

TEST_CASE("any cell: a lambda is recorded in a scope of its name") {
  const auto sum = [](Var x, Var h) {
    const Var next = (x + h).named("h");
    return std::pair(next, next);
  };
  const AnyCell cell("mine", sum, [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 2}), "h"); });
  Tape tape;
  const Var h = over_time(cell, tape.constant(Array({2, 1, 2}))).outputs[1];
  CHECK(tape.where(h.id()) == "[mine, t = 2, node " + std::to_string(h.id()) + "]");
}

TEST_CASE("stack: what does not fit is refused, and the message says what") {
  Generator generator(26);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  CHECK(message([] { Stack({}, {.name = "mine"}); }) == "mine: option layers is 0, expected at least 1");
  CHECK(message([&] { Stack({layer}, {.dropout = 1}); }) ==
        "stack: option dropout is 1, expected a rate from 0 to below 1");
  CHECK(message([&] { Bidirectional({}); }) == "bidirectional: option layers is 0, expected at least 1");
  CHECK(message([&] {
          Bidirectional({{layer, layer}}, {.dropout = -0.5});
        }) == "bidirectional: option dropout is -0.5, expected a rate from 0 to below 1");
  Tape tape;
  const Var x = tape.input(random_array({3, 2, 2}, generator)), h = tape.input(random_array({2, 3}, generator));
  const Stack stack({layer});
  CHECK(message([&] {
          over_time(stack, x, Stack::State{{h, h}, {h, h}});
        }) == "stack: 2 states were given for 1 layers");
  CHECK(message([&] { over_time(stack, x, Stack::State{{h}}); }) == "state: 1 arrays were given for a state of 2");
  CHECK(message([&] {
          over_time(Bidirectional({{layer, layer}}), x, Bidirectional::State{});
        }) == "bidirectional: 0 states were given for 1 layers");
  CHECK(message([&] {
          over_time(Bidirectional({{layer, layer}}), pack(x, std::vector<std::int64_t>{3, 1}), Bidirectional::State{});
        }) == "bidirectional: 0 states were given for 1 layers");
  RecurrentStackOptions o = layers_of(CellKind::gru, 1);
  o.projection = 2;
  CHECK(message([&] { RecurrentStack(o, generator); }) == "gru: option projection is 2, and only an lstm has one");
  o = layers_of(CellKind::lstm, 2);
  o.residual = true;
  CHECK(message([&] { bidirectional(o, generator); }) == "lstm: option residual: bidirectional layers have none");
}

TEST_CASE("bidirectional: a step sees the past by one cell and the future by the other") {
  Generator generator(27);
  const LSTM forward({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GRU backward({.input = 2, .hidden = 4, .dtype = DType::f64}, generator);
  const Bidirectional both({{forward, backward}});
  Tape tape;
  const Var x = tape.input(random_array({4, 2, 2}, generator));
  const auto sequence = over_time(both, x);
  const std::vector<std::int64_t> turned{3, 2, 1, 0};
  const Var ahead = over_time(forward, x).stacked(), back = over_time(backward, gather(x, turned)).stacked();
  for (std::int64_t t = 0; t < 4; ++t)
    for (std::int64_t b = 0; b < 2; ++b) {
      const ArrayView y = sequence.outputs[static_cast<std::size_t>(t)].value();
      for (std::int64_t j = 0; j < 3; ++j) CHECK(y.at({b, j}) == ahead.value().at({t, b, j}));
      for (std::int64_t j = 0; j < 4; ++j) CHECK(y.at({b, 3 + j}) == back.value().at({3 - t, b, j}));
    }
  REQUIRE(sequence.state.size() == 1);
  CHECK(sequence.state[0].forward.size() == 2);
  CHECK(sequence.state[0].backward.size() == 1);
  CHECK(state_names(sequence.state) == std::vector<std::string>{"lstm.h", "c", "gru.h"});
}

TEST_CASE("bidirectional: sequences of different lengths have the values and gradients of themselves alone") {
  Generator generator(28);
  for (CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    for (std::int64_t layers : {1, 2}) {
      CAPTURE(layers);
      check_ragged(subject(bidirectional(layers_of(cell, layers), generator)), 2, 6, generator);
    }
  const Bidirectional mixed({{leaky(2, generator), RNN({.input = 2, .hidden = 3, .dtype = DType::f64}, generator)}});
  check_ragged(subject(mixed), 2, 5, generator);
}

TEST_CASE("bidirectional: both directions stand side by side on the last axis, whatever the rank") {
  const auto sum = [](Var x, Var h) { return std::pair(x + h, x + h); };
  const AnyCell cell("sum", sum, [](Tape& tape, std::int64_t batch) {
    return tape.constant(Array({batch, 2, 3}, DType::f64));
  });
  Tape tape;
  Generator generator(31);
  std::vector<Var> xs;
  for (int t = 0; t < 2; ++t) xs.push_back(tape.input(random_array({1, 2, 3}, generator)));
  const Bidirectional both({{cell, cell}});
  const auto sequence = over_time(both, xs, both.zero_state(tape, 1));
  const Var all = xs[0] + xs[1];
  CHECK(same_bits(sequence.outputs[0].value(), concat({xs[0], all}, 2).value()));
  CHECK(close(sequence.outputs[1].value(), concat({all, xs[1]}, 2).value(), 0, 1e-15));
}

TEST_CASE("bidirectional: reverse exchanges the directions, and dropout is between the layers") {
  Generator generator(29);
  RecurrentStackOptions o = layers_of(CellKind::gru, 2);
  o.dropout = 0.5;
  const Bidirectional layers = bidirectional(o, generator);
  Tape tape;
  const Var x = tape.input(random_array({4, 2, 2}, generator));
  const std::vector<std::int64_t> turned{3, 2, 1, 0};
  CHECK(close(gather(over_time(layers, x, {.reverse = true}).stacked(), turned).value(),
              over_time(layers, gather(x, turned)).stacked().value(), 1e-15, 0));
  Generator own(1);
  const std::size_t before = tape.size();
  over_time(layers.with_dropout(own), x);
  std::size_t n = 0;
  for (NodeId id = static_cast<NodeId>(before); id < tape.size(); ++id) n += tape[id].op->name == "dropout";
  CHECK(n == 4);
  o.layers = 3;
  for (const Var& output : over_time(bidirectional(o, generator).with_dropout(own), x).outputs)
    CHECK(output.node().op->name == "concat");  // nothing is dropped from the last layer's outputs
  CHECK(layers.parameters()[0].name() == "gru1_forward.W_x");
  CHECK(layers.parameters().back().name() == "gru2_backward.b");
}

TEST_CASE("initial state: every sequence begins with the same learned rows, whose gradient is the sum over the batch") {
  Generator generator(30);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const InitialState initial(layer);
  CHECK(initial.parameter_count() == 6);
  CHECK(initial.parameters()[1].name() == "initial.c");
  randomize(initial, generator);
  const Array x = random_array({4, 3, 2}, generator);
  Tape tape;
  const LSTMState state = initial(tape, 3);
  CHECK(state.c.node().place.step == 0);
  CHECK(tape.name(state.c.id()) == "c");
  const Gradients learned = backward(sum(over_time(layer, tape.constant(x), state).stacked()));

  Tape given;
  const auto repeated = [&](const Parameter& row) {
    Array rows({3, 3}, DType::f64);
    for (std::size_t i = 0; i < 9; ++i) rows.set_flat(i, row.value().flat(i % 3));
    return given.input(rows);
  };
  const LSTMState same{repeated(initial.parameters()[0]), repeated(initial.parameters()[1])};
  const Gradients by_row = backward(sum(over_time(layer, given.constant(x), same).stacked()));
  for (std::size_t k = 0; k < 2; ++k) {
    const ArrayView rows = by_row[k == 0 ? same.h : same.c];
    for (std::int64_t j = 0; j < 3; ++j)
      CHECK(learned[initial.parameters()[k]].at({0, j}) ==
            doctest::Approx(rows.at({0, j}) + rows.at({1, j}) + rows.at({2, j})).epsilon(1e-13));
  }
}

TEST_CASE("initial state: fits the state of any cell, and names tell the layers apart") {
  Generator generator(31);
  const auto names = [](const Module& module) {
    std::vector<std::string> result;
    for (const Parameter& p : module.parameters()) result.push_back(p.name());
    return result;
  };
  const RecurrentStack stack(layers_of(CellKind::lstm, 2), generator);
  CHECK(names(InitialState(stack)) ==
        std::vector<std::string>{"initial.lstm1.h", "initial.lstm1.c", "initial.lstm2.h", "initial.lstm2.c"});
  const InitialState of_lambda(leaky(2, generator), "first");
  CHECK(names(of_lambda) == std::vector<std::string>{"first.level", "first.count"});
  CHECK(of_lambda.parameters()[1].shape() == Shape{1});
  const Bidirectional both({{RNN({.input = 2, .hidden = 3, .dtype = DType::f64}, generator),
                             RNN({.input = 2, .hidden = 3, .dtype = DType::f64}, generator)}});
  const InitialState initial(both);
  CHECK(names(initial) == std::vector<std::string>{"initial.rnn.h.1", "initial.rnn.h.2"});
  Tape tape;
  CHECK(over_time(both, tape.constant(Array({3, 2, 2}, DType::f64)), initial(tape, 2)).outputs.size() == 3);
  const AnyCell counter(
      "counter",
      [](Var x, Var n) {
        return std::pair{x, n + 1};
      },
      [](Tape& t, std::int64_t) { return t.scalar(0, DType::f64).named("n"); });
  CHECK(message([&] { InitialState wrong(counter); }) ==
        "InitialState: the state n has shape (), expected the batch as its first axis");
}

TEST_CASE("stack: a state runs on from batch to batch, with the gradient cut at the edge") {
  Generator generator(32);
  const Stack stack = mixed(generator);
  const Array x = random_array({6, 2, 2}, generator);
  Tape tape;
  const Array whole = over_time(stack, tape.constant(x)).outputs[5].value().copy();
  CarriedState state;
  {
    Tape first;
    state = carried(over_time(stack, first.constant(part(x, 0, 0, 3))).state);
  }
  Tape second;
  const Stack::State resumption = resumed(stack.zero_state(second, 2), state);
  CHECK(same_bits(over_time(stack, second.constant(part(x, 0, 3, 3)), resumption).outputs[2].value(), whole));
  CHECK_FALSE(resumption[0][0].node().tracked);

  // generation step by step: what comes out at a step goes in at the next
  const Linear readout({.input = 3, .output = 2, .dtype = DType::f64}, generator);
  Stack::State now = stack.zero_state(tape, 2);
  Var input = tape.constant(part(x, 0, 0, 1)), seen;
  input = reshape(input, {2, 2});
  std::vector<Var> inputs;
  for (int t = 0; t < 4; ++t) {
    inputs.push_back(input);
    auto [output, after] = stack(input, now);
    seen = output;
    input = readout(output);
    now = detach(after);
  }
  const Var all = unroll::stack(inputs);
  CHECK(same_bits(over_time(stack, all).outputs[3].value(), seen.value()));
}

}  // namespace unroll::test
