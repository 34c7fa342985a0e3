#include "layers_support.hpp"

#include <unroll/core/tape/op.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/linear.hpp>

#include <utility>

// What layers compute and what they leave on the tape. Their numbers against PyTorch and against
// hand-derived BPTT stand in test_pytorch_layers.cpp and test_bptt_by_hand.cpp.

namespace unroll::test {

namespace {

template <class Layer> constexpr bool has_cell_state = std::is_same_v<typename Layer::State, LSTMState>;

Array sum_of(const std::vector<Array>& parts) {
  Array total(parts.front().shape(), DType::f64);
  for (const Array& part : parts)
    for (std::size_t i = 0; i < total.size(); ++i) total.set_flat(i, total.flat(i) + part.flat(i));
  return total;
}

}  // namespace

TEST_CASE("the packed and the textbook form of a layer are equal in value and gradient") {
  for (const std::int64_t time : {1, 6})
    for_each_layer(3, 4, [&](const auto& packed, const auto& textbook, const std::string& gates) {
      Generator generator(3);
      const Problem problem = random_problem(time, 5, 3, 4, has_cell_state<std::decay_t<decltype(packed)>>, generator);
      check_equal(solve(textbook, problem), solve(packed, problem), gates, 1e-13, 1e-12);
    });
}

TEST_CASE("the textbook form has weights of its own") {
  Generator generator(1);
  const RNN packed({.input = 1, .hidden = 1, .dtype = DType::f64}, generator);
  const textbook::RNN textbook(packed);
  const double before = textbook.W_x.value().item();
  Parameter(packed.W_x).assign(Array({1, 1}, {123.0}));
  CHECK(textbook.W_x.value().item() == before);
}

TEST_CASE("a parameter is one node of a tape, however many steps use it") {
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    const auto check = [](const auto& layer) {
      Tape tape;
      over_time(layer, tape.constant(Array({5, 2, 2}, DType::f64)));
      std::size_t nodes = 0;
      for (NodeId id = 0; id < tape.size(); ++id) nodes += tape[id].op == &parameter_op() ? 1 : 0;
      CHECK(nodes == layer.parameters().size());
    };
    check(packed);
    check(textbook);
  });
}

TEST_CASE("the gradient of a shared weight is the sum of its contributions over time") {
  constexpr std::int64_t T = 4;
  for_each_layer(2, 3, [&](const auto& shared, const auto&, const std::string&) {
    using Layer = std::decay_t<decltype(shared)>;
    Generator generator(5);
    const Array xs = random_array({T, 2, 2}, generator), cotangent = random_array({T, 2, 3}, generator);

    // the same numbers, but at each step in parameters of its own
    std::vector<Layer> copies;
    for (std::int64_t t = 0; t < T; ++t) {
      copies.emplace_back(shared.options, generator);
      for (std::size_t i = 0; i < shared.parameters().size(); ++i)
        Parameter(copies.back().parameters()[i]).assign(shared.parameters()[i].value());
    }
    Tape unshared_tape;
    auto state = shared.zero_state(unshared_tape, 2);
    std::vector<Var> outputs;
    const std::vector<Var> steps = time_steps(unshared_tape.constant(xs));
    for (std::size_t t = 0; t < steps.size(); ++t) {
      auto [output, next] = copies[t](steps[t], state);
      outputs.push_back(output);
      state = next;
    }
    const Gradients contributions = backward(stack(outputs, 0), {.cotangent = cotangent});

    Tape tape;
    const Gradients total = backward(over_time(shared, tape.constant(xs)).stacked(), {.cotangent = cotangent});
    bool earlier_steps_count = false;
    for (std::size_t i = 0; i < shared.parameters().size(); ++i) {
      std::vector<Array> parts;
      for (const Layer& copy : copies) parts.push_back(contributions[copy.parameters()[i]].copy());
      INFO("parameter ", shared.parameters()[i].name());
      CHECK(close(total[shared.parameters()[i]], sum_of(parts), 1e-13, 1e-12));
      earlier_steps_count |= !close(total[shared.parameters()[i]], parts.back(), 1e-3, 0);
    }
    CHECK(earlier_steps_count);
  });
}

TEST_CASE("stepping a cell by hand gives what over_time gives, to the bit") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Generator generator(9);
    const Array xs = random_array({3, 2, 2}, generator);
    Tape tape;
    const Var x = tape.input(xs);
    const auto sequence = over_time(layer, x);
    auto state = layer.zero_state(tape, 2);
    for (std::int64_t t = 0; t < 3; ++t) {
      auto [output, next] = layer(select(x, 0, t), state);
      CHECK(same_bits(output.value(), sequence.outputs[static_cast<std::size_t>(t)].value()));
      state = next;
    }
    CHECK(same_bits(state.h.value(), sequence.state.h.value()));
    CHECK(same_bits(sequence.state.h.value(), sequence.outputs.back().value()));
  });
}

TEST_CASE("a layer starts from a zero state unless it is given another one") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Generator generator(9);
    Problem problem = random_problem(2, 2, 2, 3, has_cell_state<std::decay_t<decltype(layer)>>, generator);
    Tape tape;
    const Array from_default = over_time(layer, tape.constant(problem.x)).stacked().value().copy();
    CHECK_FALSE(close(solve(layer, problem).output, from_default, 1e-3, 0));
    problem.h0 = Array({2, 3}, DType::f64);
    if (problem.c0.size() > 0) problem.c0 = problem.h0.copy();
    CHECK(same_bits(solve(layer, problem).output, from_default));
  });
}

TEST_CASE(
    "an LSTM with a projection, of width 1 as well, puts out and hands on h of that width, and starts from zeros") {
  for (const std::int64_t projection : {1, 2}) {
    Generator generator(10);
    const LSTM layer({.input = 2, .hidden = 3, .projection = projection, .dtype = DType::f64}, generator);
    Tape tape;
    const LSTMState zero = layer.zero_state(tape, 4);
    CHECK(zero.h.shape() == Shape{4, projection});
    CHECK(zero.c.shape() == Shape{4, 3});
    const auto sequence = over_time(layer, tape.constant(random_array({2, 4, 2}, generator)));
    CHECK(sequence.outputs[1].shape() == Shape{4, projection});
    CHECK(sequence.state.h.shape() == Shape{4, projection});
    CHECK(sequence.state.c.shape() == Shape{4, 3});
  }
}

TEST_CASE("a lambda is a cell: over_time with a running sum") {
  const auto running_sum = [](Var x, Var before) {
    const Var total = before + x;
    return std::pair{total, total};
  };
  Tape tape;
  const Var x = tape.input(Array({3, 1, 2}, {1, 10, 2, 20, 3, 30}));
  const Sequence<Var> sequence = over_time(running_sum, x, tape.constant(Array({1, 2}, {100, 0})));
  CHECK(close(sequence.stacked().value(), Array({3, 1, 2}, {101, 10, 103, 30, 106, 60}), 0, 0));
  CHECK(sequence.state == sequence.outputs.back());
  // x_1 is part of three sums, x_3 of one
  CHECK(close(backward(sum(sequence.stacked()))[x], Array({3, 1, 2}, {3, 3, 2, 2, 1, 1}), 0, 0));
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape[id].op->name == "add") CHECK(tape[id].place.step >= 1);
}

TEST_CASE("layers stack: the outputs of one are the inputs of the next") {
  Generator generator(4);
  const LSTM lower({.input = 2, .hidden = 3, .name = "lower", .dtype = DType::f64}, generator);
  const GRU upper({.input = 3, .hidden = 2, .name = "upper", .dtype = DType::f64}, generator);
  Tape tape;
  const Var x = tape.input(random_array({4, 2, 2}, generator));
  const auto first = over_time(lower, x);
  const auto second = over_time(upper, first.outputs, upper.zero_state(tape, 2));
  const auto restacked = over_time(upper, first.stacked());
  CHECK(same_bits(second.stacked().value(), restacked.stacked().value()));
  const Gradients gradients = backward(sum(second.state.h));
  CHECK(gradients.norm(lower.W_x) > 0);
  CHECK(gradients.norm(x) > 0);
}

TEST_CASE("a textbook layer names its gates on the tape and puts each in a scope of its own") {
  Generator generator(1);
  Tape tape;
  const Var x = tape.input(Array({3, 1, 2}, DType::f64), "x");
  const auto check = [&](const auto& layer, const std::vector<std::pair<std::string, std::string>>& places) {
    over_time(layer, x);
    for (std::int32_t t = 1; t <= 3; ++t)
      for (const auto& place : places) {
        const std::vector<NodeId> found = nodes_named(tape, place.first, t);
        INFO(place.first, " at step ", t);
        REQUIRE(found.size() == 1);
        CHECK(tape.path(tape[found[0]].place.scope) == place.second);
      }
  };
  SUBCASE("LSTM") {
    check(textbook::LSTM({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), {{"f", "lstm/forget gate"},
                                                                                      {"i", "lstm/input gate"},
                                                                                      {"g", "lstm/candidate"},
                                                                                      {"o", "lstm/output gate"},
                                                                                      {"c", "lstm"},
                                                                                      {"h", "lstm"}});
    for (const char* name : {"h", "c"}) {
      REQUIRE(nodes_named(tape, name, 0).size() == 1);
      CHECK(tape.path(tape[nodes_named(tape, name, 0)[0]].place.scope) == "lstm");
    }
  }
  SUBCASE("GRU, reset before") {
    check(textbook::GRU({.input = 2, .hidden = 3, .name = "top", .dtype = DType::f64}, generator),
          {{"r", "top/reset gate"}, {"z", "top/update gate"}, {"n", "top/candidate"}, {"h", "top"}});
    CHECK(nodes_named(tape, "h", 0).size() == 1);
  }
  SUBCASE("GRU, reset after") {
    check(textbook::GRU({.input = 2, .hidden = 3, .reset = Reset::after, .dtype = DType::f64}, generator),
          {{"r", "gru/reset gate"}, {"z", "gru/update gate"}, {"n", "gru/candidate"}, {"h", "gru"}});
  }
  SUBCASE("RNN") {
    check(textbook::RNN({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), {{"h", "rnn"}});
    CHECK(nodes_named(tape, "h", 0).size() == 1);
  }
}

TEST_CASE("a packed layer names its gates on the tape, in the scope of the layer") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string& gates) {
    Tape tape;
    over_time(layer, tape.input(Array({2, 1, 2}, DType::f64)));
    for (std::int32_t t = 1; t <= 2; ++t) {
      for (const std::string name : {"x", "h"}) CHECK(nodes_named(tape, name, t).size() == 1);
      for (const char gate : gates) {
        const std::vector<NodeId> found = nodes_named(tape, std::string(1, gate), t);
        INFO(gate, " at step ", t);
        REQUIRE(found.size() == 1);
        CHECK(tape.path(tape[found[0]].place.scope) == layer.name());
      }
    }
    CHECK(nodes_named(tape, "h", 0).size() == 1);
    CHECK(tape.place == Place{});
  });
}

TEST_CASE("parameters stand on the tape outside of time, in the order of the equation x W + h U + b") {
  // an order that C++ leaves open (that of the operands of +, or of arguments) would differ between compilers
  Tape tape;
  const auto check = [&](const std::vector<std::string>& names) {
    NodeId last = 0;
    for (const std::string& name : names) {
      const std::vector<NodeId> found = nodes_named(tape, name, no_step);
      INFO(name);
      REQUIRE(found.size() == 1);
      CHECK(found[0] > last);
      last = found[0];
    }
  };
  Generator generator(1);
  const Var x = tape.input(Array({2, 1, 2}, DType::f64));
  SUBCASE("packed LSTM") {
    over_time(LSTM({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), x);
    check({"lstm.W_x", "lstm.W_h", "lstm.b"});
  }
  SUBCASE("packed RNN") {
    over_time(RNN({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), x);
    check({"rnn.W_x", "rnn.W_h", "rnn.b"});
  }
  SUBCASE("packed GRU") {
    over_time(GRU({.input = 2, .hidden = 3, .reset = Reset::after, .dtype = DType::f64}, generator), x);
    check({"gru.W_x", "gru.b", "gru.W_h", "gru.b_h"});
  }
  SUBCASE("textbook LSTM") {
    over_time(textbook::LSTM({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), x);
    check({"lstm.W_f", "lstm.U_f", "lstm.b_f", "lstm.W_i", "lstm.U_i", "lstm.b_i"});
  }
  SUBCASE("textbook GRU") {
    over_time(textbook::GRU({.input = 2, .hidden = 3, .dtype = DType::f64}, generator), x);
    check({"gru.W_r", "gru.U_r", "gru.b_r", "gru.W_z", "gru.U_z", "gru.b_z", "gru.W_n", "gru.U_n", "gru.b_n"});
  }
  SUBCASE("Linear") {
    Linear({.input = 2, .output = 3, .dtype = DType::f64}, generator)(x);
    check({"linear.W", "linear.b"});
  }
}

TEST_CASE("a constant sequence gets no gradient, and asking for it says why") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Tape tape;
    const Var x = tape.constant(Array({2, 1, 2}, DType::f64), "x");
    const auto sequence = over_time(layer, x);
    const Gradients gradients = backward(sum(sequence.stacked()));
    CHECK_FALSE(gradients.contains(x));
    CHECK(gradients.contains(layer.W_x));
    CHECK_THROWS_WITH_AS(
        gradients[x], "no gradient was computed for x [node 0]: it is a constant, or depends on no input or parameter",
        GradientError);
  });
}

TEST_CASE("the last state alone gives a gradient to every step before it") {
  for_each_layer(2, 3, [](const auto& layer, const auto&, const std::string&) {
    Generator generator(2);
    Tape tape;
    const Var x = tape.input(random_array({3, 1, 2}, generator));
    const Array dx = backward(sum(over_time(layer, x).state.h))[x].copy();
    for (std::size_t t = 0; t < 3; ++t) CHECK((dx.flat(2 * t) != 0 || dx.flat(2 * t + 1) != 0));
  });
}

TEST_CASE("Linear maps the last axis, for rank 2 and for rank 3") {
  Generator generator(1);
  Linear layer({.input = 2, .output = 3, .dtype = DType::f64}, generator);
  layer.W.assign(Array({2, 3}, {1, 2, 3, 10, 20, 30}));
  layer.b.assign(Array({3}, {0.5, 0, -0.5}));
  const Array rows({4, 2}, {1, 0, 0, 1, 1, 1, 2, 3});
  const Array expected({4, 3}, {1.5, 2, 2.5, 10.5, 20, 29.5, 11.5, 22, 32.5, 32.5, 64, 95.5});

  for (const bool rank3 : {false, true}) {
    Tape tape;
    const Var x = tape.input(rank3 ? rows.reshaped({2, 2, 2}) : rows);
    const Var y = layer(x);
    CHECK(y.shape() == (rank3 ? Shape{2, 2, 3} : Shape{4, 3}));
    CHECK(close(y.value().copy().reshaped({4, 3}), expected, 0, 0));
    const Gradients gradients = backward(sum(y));
    CHECK(close(gradients[layer.b], Array({3}, {4, 4, 4}), 0, 0));              // once a row
    CHECK(close(gradients[layer.W], Array({2, 3}, {4, 4, 4, 5, 5, 5}), 0, 0));  // the columns of x summed
    CHECK(close(gradients[x].copy().reshaped({4, 2}), Array({4, 2}, {6, 60, 6, 60, 6, 60, 6, 60}), 0, 0));
  }
}

TEST_CASE("Linear maps rows of a single number, and refuses a scalar and rows of none") {
  Generator generator(1);
  Linear layer({.input = 1, .output = 2, .dtype = DType::f64}, generator);
  layer.W.assign(Array({1, 2}, {2, 3}));
  Tape tape;
  const Var y = layer(tape.input(Array({2, 2, 1}, {1, 2, 3, 4})));
  CHECK(close(y.value(), Array({2, 2, 2}, {2, 3, 4, 6, 6, 9, 8, 12}), 0, 0));
  CHECK(message([&] {
          layer(tape.input(Array::scalar(1)));
        }).find("affine: () x (1, 2) x (2): x, W, h and U need two axes") == 0);
  CHECK(message([&] {
          layer(tape.input(Array({2, 2, 0}, DType::f64)));
        }).find("affine: (0, 0) x (1, 2) x (2): inner 0 != 1") == 0);
}

TEST_CASE("layer normalisation: every row of the last axis gets the mean 0 and the variance 1, whatever the rank") {
  Tape tape;
  Generator generator(2);
  const Var y = normalized(tape.input(random_array({2, 3, 4}, generator)), 0);
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      double sum = 0, squares = 0;
      for (std::int64_t k = 0; k < 4; ++k) sum += y.value().at({i, j, k});
      for (std::int64_t k = 0; k < 4; ++k) squares += y.value().at({i, j, k}) * y.value().at({i, j, k});
      CHECK(sum == doctest::Approx(0).epsilon(1e-13));
      CHECK(squares == doctest::Approx(4).epsilon(1e-13));
    }
}

TEST_CASE("Embedding looks rows up, and a repeated symbol gets the sum of its gradients") {
  Generator generator(1);
  Embedding layer({.vocabulary = 4, .dimension = 2, .dtype = DType::f64}, generator);
  layer.E.assign(Array({4, 2}, {0, 1, 10, 11, 20, 21, 30, 31}));
  Tape tape;
  const std::vector<std::int64_t> symbols{2, 0, 2, 3, 2};
  const Var rows = layer(tape, symbols);
  CHECK(close(rows.value(), Array({5, 2}, {20, 21, 0, 1, 20, 21, 30, 31, 20, 21}), 0, 0));
  const Gradients gradients = backward(rows, {.cotangent = Array({5, 2}, {1, 2, 0.25, 0.5, 10, 20, -1, -2, 100, 200})});
  CHECK(close(gradients[layer.E], Array({4, 2}, {0.25, 0.5, 0, 0, 111, 222, -1, -2}), 0, 0));
}

}  // namespace unroll::test
