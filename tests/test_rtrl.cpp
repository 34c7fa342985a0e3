#include "layers_support.hpp"

#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/rtrl.hpp>

namespace unroll::test {

namespace {

std::vector<Array> random_arrays(std::size_t n, const Shape& shape, Generator& generator) {
  std::vector<Array> arrays;
  for (std::size_t i = 0; i < n; ++i) arrays.push_back(random_array(shape, generator));
  return arrays;
}

// The same loss and gradients by RTRL and by BPTT over the recording of the whole sequence.
template <class Cell, class Initial, class StepLoss>
void check_equals_bptt(const Cell& cell, const std::vector<Array>& xs, const Initial& initial,
                       const std::vector<Parameter>& parameters, const StepLoss& step_loss) {
  const RtrlResult found = rtrl(cell, xs, initial, parameters, step_loss);
  Tape tape;
  std::vector<Var> inputs;
  for (const Array& x : xs) inputs.push_back(tape.constant(x));
  const auto sequence = over_time(cell, inputs, initial(tape));
  Var loss;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const Var term = step_loss(sequence.outputs[i], static_cast<std::int64_t>(i + 1));
    if (!term.empty()) loss = loss.empty() ? term : loss + term;
  }
  const Gradients expected = backward(loss);
  CHECK(found.loss == doctest::Approx(loss.item()).epsilon(1e-13));
  REQUIRE(found.gradients.size() == parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    INFO(parameters[i].name());
    CHECK(expected.norm(parameters[i]) > 0);
    CHECK(close(found.gradients[i], expected[parameters[i]], 1e-12 * expected.norm(parameters[i]), 0));
  }
}

RNN small_rnn() {
  Generator generator(8);
  const RNN rnn({.input = 1, .hidden = 2, .dtype = DType::f64}, generator);
  randomize(rnn, generator);
  return rnn;
}

}  // namespace

TEST_CASE("RTRL: loss and gradients of every layer are those of BPTT") {
  for_each_layer(2, 3, [](const auto& packed, const auto& textbook, const std::string&) {
    Generator generator(9);
    const std::vector<Array> xs = random_arrays(6, {2, 2}, generator), targets = random_arrays(6, {2, 3}, generator);
    const auto step_loss = [&](Var h, std::int64_t t) {
      return mean(square(h - h.tape().constant(targets[static_cast<std::size_t>(t - 1)])));
    };
    const auto check = [&](const auto& layer) {
      const auto initial = [&](Tape& tape) { return layer.zero_state(tape, 2); };
      check_equals_bptt(layer, xs, initial, layer.parameters(), step_loss);
    };
    check(packed);
    check(textbook);
  });
}

TEST_CASE("RTRL: a lambda with a state of its own form and a learned initial state and a readout") {
  Generator generator(10);
  const auto weight = [&](const char* name, const Shape& shape) {
    return Parameter(name, random_array(shape, generator));
  };
  const Parameter W = weight("W", {2, 3}), U = weight("U", {3, 3}), V = weight("V", {3, 1}), h0 = weight("h0", {1, 3});
  struct State {
    Var h;
    std::pair<Var, std::vector<Var>> more;  // a running mean of h (1, 3), and a count (1)
  };
  const auto cell = [&](Var x, const State& before) -> std::pair<Var, State> {
    Tape& tape = x.tape();
    const Var from_x = matmul(x, tape.use(W)), from_h = matmul(before.h, tape.use(U));
    const Var h = tanh(from_x + from_h);
    const Var old = 0.9 * before.more.first, add = 0.1 * h;
    const Var average = old + add, count = before.more.second[0] + sum(square(average));
    return {h * average, {h, {average, {count}}}};
  };
  const auto initial = [&](Tape& tape) {
    const Var h = tanh(tape.use(h0));
    return State{h, {tape.constant(Array({1, 3}, DType::f64)), {tape.constant(Array({1}, DType::f64))}}};
  };
  const auto step_loss = [&](Var y, std::int64_t t) {
    return t % 2 == 0 ? sum(square(matmul(y, y.tape().use(V)))) : Var{};  // only every second step has a loss
  };
  check_equals_bptt(cell, random_arrays(7, {1, 2}, generator), initial, {W, U, V, h0}, step_loss);
}

TEST_CASE("RTRL: a stack with states of several layers and a loss at the end alone") {
  Generator generator(11);
  const RecurrentStack stack({.cell = CellKind::lstm, .input = 2, .hidden = 2, .layers = 2, .dtype = DType::f64},
                             generator);
  randomize(stack, generator);
  const auto initial = [&](Tape& tape) { return stack.zero_state(tape, 1); };
  const auto step_loss = [](Var h, std::int64_t t) { return t == 5 ? sum(h) : Var{}; };
  check_equals_bptt(stack, random_arrays(5, {1, 2}, generator), initial, stack.parameters(), step_loss);
}

TEST_CASE("RTRL: memory does not grow with the number of steps") {
  const RNN rnn = small_rnn();
  const auto bytes = [&](std::size_t T) {
    Generator generator(12);
    const auto initial = [&](Tape& tape) { return rnn.zero_state(tape, 1); };
    const auto step_loss = [](Var h, std::int64_t) { return sum(square(h)); };
    return rtrl(rnn, random_arrays(T, {1, 1}, generator), initial, rnn.parameters(), step_loss).bytes;
  };
  const std::size_t ten = bytes(10);
  CHECK(ten > 0);
  CHECK(bytes(1000) == ten);
}

TEST_CASE("RTRL: what it holds grows with the parameters by their sensitivities and by nothing else") {
  Generator generator(14);
  const RNN rnn({.input = 1, .hidden = 32, .dtype = DType::f64}, generator);
  const std::vector<Array> xs = random_arrays(2, {1, 1}, generator);
  const auto bytes = [&](const std::vector<Parameter>& parameters) {
    const auto initial = [&](Tape& tape) { return rnn.zero_state(tape, 1); };
    const auto step_loss = [](Var h, std::int64_t) { return sum(square(h)); };
    return rtrl(rnn, xs, initial, parameters, step_loss).bytes;
  };
  // for each element of W_h the derivative of a state of 32 numbers
  CHECK(bytes({rnn.b, rnn.W_h}) - bytes({rnn.b}) == 32 * 32 * 32 * sizeof(double));
}

TEST_CASE("RTRL: bad input is refused with its reason") {
  const RNN rnn = small_rnn();
  Generator generator(13);
  const std::vector<Array> xs = random_arrays(3, {1, 1}, generator);
  const auto initial = [&](Tape& tape) { return rnn.zero_state(tape, 1); };
  const auto square_loss = [](Var h, std::int64_t) { return sum(square(h)); };
  const auto& w = rnn.parameters();
  CHECK_THROWS_WITH_AS(rtrl(rnn, std::vector<Array>{}, initial, w, square_loss),
                       "rtrl: no inputs were given, expected one for each step", ShapeError);
  CHECK_THROWS_WITH_AS(rtrl(rnn, xs, initial, {}, square_loss), "rtrl: no parameters were given", Error);
  CHECK_THROWS_WITH_AS(rtrl(rnn, xs, initial, w, [](Var, std::int64_t) { return Var{}; }), "rtrl: no step has a loss",
                       Error);
  const auto vector_loss = [](Var h, std::int64_t t) { return t == 2 ? h : sum(h); };
  CHECK_THROWS_WITH_AS(rtrl(rnn, xs, initial, w, vector_loss),
                       "rtrl: the loss of step 2 has shape (1, 2), expected one element  [rnn, t = 2, node 6]",
                       ShapeError);
  const Parameter unused("unused", Array({2}, DType::f64));
  CHECK_THROWS_WITH_AS(rtrl(rnn, xs, initial, std::vector{w[0], unused}, square_loss),
                       "rtrl: parameter unused was used at no step, so there is no gradient by it", GradientError);

  using Parts = std::vector<Var>;
  const auto growing = [](Var x, const Parts& parts) -> std::pair<Var, Parts> {
    Parts next = parts;
    next.push_back(x);
    return {x, next};
  };
  const auto parts = [](Tape& tape) { return Parts{tape.constant(Array({1, 1}, DType::f64), "s")}; };
  const auto no_parts = [](Tape&) { return Parts{}; };
  CHECK_THROWS_WITH_AS(rtrl(growing, xs, parts, w, square_loss),
                       "rtrl: the state after step 1 has 2 parts, the initial state has 1", ShapeError);
  CHECK_THROWS_WITH_AS(rtrl(growing, xs, no_parts, w, square_loss), "rtrl: the initial state is empty", ShapeError);
  const auto widening = [](Var x, Var s) -> std::pair<Var, Var> {
    const Var wider = concat({s, x}, 1);
    return {wider, wider};
  };
  const auto one = [](Tape& tape) { return tape.constant(Array({1, 1}, DType::f64), "s"); };
  CHECK_THROWS_WITH_AS(rtrl(widening, xs, one, w, square_loss),
                       "rtrl: state s has shape (1, 2) after step 1, (1, 1) before  [t = 1, node 2]", ShapeError);
}

}  // namespace unroll::test
