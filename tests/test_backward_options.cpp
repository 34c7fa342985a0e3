#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/over_time.hpp>

#include <doctest/doctest.h>

using namespace unroll;
using namespace unroll::test;

namespace {

Array sequence(std::int64_t steps, std::int64_t batch, std::int64_t input) {
  Generator generator(3);
  Array x({steps, batch, input}, DType::f64);
  for (std::size_t i = 0; i < x.size(); ++i) x.set_flat(i, generator.normal());
  return x;
}

GRU small_gru() {
  Generator generator(1);
  return {{.input = 2, .hidden = 3, .dtype = DType::f64}, generator};
}

}  // namespace

TEST_CASE("backward: `also` keeps the gradients of the named nodes and of no others") {
  Tape tape;
  const GRU gru = small_gru();
  const auto run = over_time(gru, tape.constant(sequence(4, 2, 2)));
  const Var loss = mean(square(run.state.h));
  const Gradients all = backward(loss, {.keep = Keep::all});
  const Gradients some = backward(loss, {.also = {run.outputs[1], run.outputs[2]}});
  for (const std::size_t t : {1U, 2U}) CHECK(same_bits(some[run.outputs[t]], all[run.outputs[t]]));
  CHECK(same_bits(some[gru.W_h], all[gru.W_h]));
  CHECK_FALSE(some.contains(run.outputs[0]));
}

TEST_CASE("backward: `until` differentiates as if the nodes were given numbers") {
  // two steps of h' = a h: the total derivative of h_2 by a is 2 a h_0, the immediate one h_1 = a h_0
  Tape tape;
  const Var a = tape.input(Array::scalar(3)), h0 = tape.input(Array::scalar(5));
  const Var h1 = a * h0, h2 = a * h1;
  CHECK(backward(h2)[a].item() == 30);
  for (const bool create_graph : {false, true}) {
    const Gradients given = backward(h2, {.create_graph = create_graph, .until = {h1}});
    CHECK(given[a].item() == 15);
    CHECK(given[h1].item() == 3);
    CHECK_FALSE(given.contains(h0));
  }
}

TEST_CASE("backward: by `until` the rows of a step's Jacobian equal differences of the step alone") {
  Tape tape;
  const GRU gru = small_gru();
  const Array xs = sequence(3, 1, 2);
  const auto run = over_time(gru, tape.constant(xs));
  const Var before = run.outputs[1], after = run.outputs[2];
  const Program step = [&](const std::vector<Array>& h) {
    Tape one;
    Array x({1, 2}, DType::f64);
    for (std::size_t i = 0; i < 2; ++i) x.set_flat(i, xs.flat(4 + i));
    return gru(one.constant(x), {one.constant(h[0])}).first.value().copy();
  };
  for (std::size_t row = 0; row < 3; ++row) {
    Array unit({1, 3}, DType::f64);
    unit.set_flat(row, 1);
    const Gradients g = backward(after, {.cotangent = unit, .until = {before}});
    CHECK(close(g[before], numeric_gradient(step, {before.value().copy()}, 0, unit), 1e-8, 1e-8));
  }
}

TEST_CASE(
    "backward: contributions by step are those of copies of the parameter, one a step, and add up to the gradient") {
  const GRU gru = small_gru();
  const Array xs = sequence(4, 2, 2);
  Tape tape;
  const auto run = over_time(gru, tape.constant(xs));
  const Gradients g = backward(mean(square(run.stacked())), {.by_step = {gru.W_h, gru.b}});

  // the same network with a GRU of its own at every step: equal numbers in other parameters
  std::vector<GRU> copies;
  for (int t = 0; t < 4; ++t) copies.push_back(small_gru());
  Tape other;
  HiddenState state = gru.zero_state(other, 2);
  std::vector<Var> outputs;
  for (const Var& x : time_steps(other.constant(xs))) {
    auto [h, next] = copies[outputs.size()](x, state);
    outputs.push_back(h);
    state = next;
  }
  const Gradients apart = backward(mean(square(stack(outputs))));
  CHECK(g.contribution_steps(gru.W_h) == std::vector<std::int64_t>{1, 2, 3, 4});
  Array sum(gru.W_h.shape(), DType::f64);
  for (std::int64_t t = 1; t <= 4; ++t) {
    CHECK(close(g.contribution(gru.W_h, t), apart[copies[static_cast<std::size_t>(t - 1)].W_h], 1e-15, 1e-12));
    CHECK(close(g.contribution(gru.b, t), apart[copies[static_cast<std::size_t>(t - 1)].b], 1e-15, 1e-12));
    for (std::size_t i = 0; i < sum.size(); ++i) sum.set_flat(i, sum.flat(i) + g.contribution(gru.W_h, t).flat(i));
  }
  CHECK(close(g[gru.W_h], sum, 0, 1e-12));
  CHECK(close(g[gru.W_h], backward(mean(square(run.stacked())))[gru.W_h], 1e-15, 1e-12));
}

TEST_CASE("backward: a parameter that is the loss contributes outside of time") {
  const Parameter p("p", Array::scalar(2));
  Tape tape;
  const Gradients g = backward(tape.use(p), {.by_step = {p}});
  CHECK(g[p].item() == 1);
  CHECK(g.contribution_steps(p) == std::vector<std::int64_t>{no_step});
}

TEST_CASE("backward: contributions outlive the tape and give their buffers back") {
  const GRU gru = small_gru();
  Tape tape;
  std::size_t bytes = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    tape.clear();
    const auto run = over_time(gru, tape.constant(sequence(4, 2, 2)));
    Gradients g = backward(mean(square(run.state.h)), {.by_step = {gru.W_x}});
    g = backward(mean(square(run.state.h)), {.by_step = {gru.W_x}});
    tape.clear();
    CHECK(norm(g.contribution(gru.W_x, 4)) > 0);
    if (repeat == 0) bytes = tape.bytes_reserved();
  }
  CHECK(tape.bytes_reserved() == bytes);
}

TEST_CASE("backward: what an option cannot do is said") {
  const GRU gru = small_gru();
  Tape tape, other;
  const auto run = over_time(gru, tape.constant(sequence(4, 2, 2)));
  const Var loss = mean(square(run.outputs[2]));
  const Var foreign = other.input(Array::scalar(1));
  CHECK_THROWS_WITH_AS(backward(loss, {.until = {foreign}}),
                       "backward: a node of option until belongs to another tape than the loss: [node 0]", TapeError);
  CHECK_THROWS_WITH_AS(backward(loss, {.create_graph = true, .by_step = {gru.b}}),
                       "backward: by_step is for passes that are not recorded: leave out create_graph", GradientError);
  const Gradients g = backward(loss, {.by_step = {gru.b}});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(g.contribution(gru.W_h, 1)),
      "no contributions were kept for parameter gru.W_h: backward(loss, {.by_step = {...}}) keeps those of "
      "the parameters in the list on which the loss depends",
      GradientError);
  CHECK_THROWS_WITH_AS(static_cast<void>(g.contribution(gru.b, 4)),
                       "no contribution to the gradient of gru.b comes from step 4: they come from steps 1 to 3",
                       GradientError);
}
