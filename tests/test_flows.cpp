#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/stack.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>

using namespace unroll;
using namespace unroll::test;

namespace {

Array sequence(std::int64_t steps, std::int64_t batch, std::int64_t input, DType dtype = DType::f64) {
  Generator generator(3);
  Array x({steps, batch, input}, dtype);
  for (std::size_t i = 0; i < x.size(); ++i) x.set_flat(i, generator.normal());
  return x;
}

// What comes back to x from its readers at one step, by another way: each reader is taken for the loss, as far as it is read by others,
// with its own gradient for the cotangent, and the way back ends at x and at all that is read beside it.
Array part_from(const Var& x, std::int64_t step, NodeId loss, const Gradients& gradients) {
  Tape& tape = x.tape();
  Array part(x.shape(), x.dtype());
  for (NodeId reader = x.id() + 1; reader <= loss; ++reader) {
    const Var y = tape.var(reader);
    if (y.node().place.step != step || !gradients.contains(y)) continue;
    std::vector<Var> operands;
    bool reads = false;
    for (NodeId input : tape.inputs(reader)) {
      operands.push_back(tape.var(input));
      reads = reads || input == x.id();
    }
    if (!reads) continue;
    Array cotangent(y.shape(), y.dtype());
    for (std::size_t i = 0; i < cotangent.size(); ++i) cotangent.set_flat(i, gradients[y].flat(i));
    const Gradients one = backward(y, {.cotangent = cotangent, .until = operands});
    for (std::size_t i = 0; i < part.size(); ++i) part.set_flat(i, part.flat(i) + one[x].flat(i));
  }
  return part;
}

bool nearly(double a, double b) { return std::abs(a - b) <= 1e-12 * (1e-6 + std::abs(b)); }

// All flows of a recorded program are the norms of parts that add up to the gradient, in both sweeps; gives the number of them.
int check_flows(Var loss) {
  Tape& tape = loss.tape();
  const Gradients plain = backward(loss, {.keep = Keep::all});
  const Gradients g = backward(loss, {.keep = Keep::all, .flows = true});
  const NodeId last = loss.id();
  struct Expected {
    NodeId node;
    std::int64_t step;
    double norm;
  };
  std::vector<Expected> expected;
  for (NodeId id = 0; id < last; ++id) {
    const Var x = tape.var(id);
    if (!plain.contains(x)) continue;
    std::set<std::int64_t> steps;
    for (NodeId reader = id + 1; reader <= last; ++reader)
      for (NodeId input : tape.inputs(reader))
        if (input == id && plain.contains(tape.var(reader))) steps.insert(tape[reader].place.step);
    CAPTURE(tape.where(id));
    CHECK(close(g[x], plain[x], 1e-15, 1e-12));
    if (steps == std::set<std::int64_t>{x.node().place.step}) {
      CHECK_FALSE(g.flow(x, x.node().place.step));
      continue;
    }
    Array sum(x.shape(), x.dtype());
    for (const std::int64_t step : steps) {
      CAPTURE(step);
      const Array part = part_from(x, step, last, plain);
      for (std::size_t i = 0; i < sum.size(); ++i) sum.set_flat(i, sum.flat(i) + part.flat(i));
      REQUIRE(g.flow(x, step));
      CHECK(nearly(*g.flow(x, step), norm(part)));
      expected.push_back({id, step, *g.flow(x, step)});
    }
    CHECK(close(sum, plain[x], 1e-15, 1e-12));
    CHECK_FALSE(g.flow(x, 77));
  }
  const Gradients recorded = backward(loss, {.create_graph = true, .flows = true});
  for (const Expected& e : expected) {
    CAPTURE(tape.where(e.node));
    REQUIRE(recorded.flow(tape.var(e.node), e.step));
    CHECK(nearly(*recorded.flow(tape.var(e.node), e.step), e.norm));
  }
  return static_cast<int>(expected.size());
}

}  // namespace

TEST_CASE("flows: what comes back to a state from a step is its gradient where it is detached for all other readers") {
  Generator generator(1);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Array xs = sequence(5, 2, 2);
  enum class Detached { nothing, h_for_the_next_step, h_for_the_loss, all_of_h, c_for_the_next_step };
  struct Recorded {
    std::vector<LSTMState> states;
    Var loss;
  };
  // the sum of losses of single steps; at step `at` something is detached
  const auto record = [&](Tape& tape, std::int64_t at, Detached what) {
    Recorded r;
    LSTMState state = lstm.zero_state(tape, 2);
    std::int64_t t = 0;
    for (const Var& x : time_steps(tape.constant(xs))) {
      const Step step(tape, ++t);
      state = lstm(x, state).second;
      r.states.push_back(state);
      const Detached now = t == at ? what : Detached::nothing;
      const Var h = state.h;
      const Var own = sum(square(now == Detached::h_for_the_loss || now == Detached::all_of_h ? detach(h) : h));
      r.loss = r.loss.empty() ? own : r.loss + own;
      if (now == Detached::h_for_the_next_step || now == Detached::all_of_h) state.h = detach(h);
      if (now == Detached::c_for_the_next_step) state.c = detach(state.c);
    }
    return r;
  };
  for (const bool create_graph : {false, true})
    for (std::int64_t t = 1; t < 5; ++t) {
      Tape tape;
      const Recorded r = record(tape, 0, Detached::nothing);
      const Gradients g = backward(r.loss, {.create_graph = create_graph, .flows = true});
      const LSTMState& state = r.states[static_cast<std::size_t>(t - 1)];
      const auto norm_with = [&](Detached what, bool of_c) {
        Tape other;
        const Recorded apart = record(other, t, what);
        const LSTMState& there = apart.states[static_cast<std::size_t>(t - 1)];
        return backward(apart.loss, {.keep = Keep::all}).norm(of_c ? there.c : there.h);
      };
      CAPTURE(t);
      CHECK(nearly(g.flow(state.h, t).value(), norm_with(Detached::h_for_the_next_step, false)));
      CHECK(nearly(g.flow(state.h, t + 1).value(), norm_with(Detached::h_for_the_loss, false)));
      CHECK(nearly(g.flow(state.c, t).value(), norm_with(Detached::c_for_the_next_step, true)));
      CHECK(nearly(g.flow(state.c, t + 1).value(), norm_with(Detached::all_of_h, true)));
      CHECK_FALSE(g.flow(state.h, t + 2));
      CHECK_FALSE(g.flow(r.states.back().h, 5));  // read at its own step alone
    }
}

TEST_CASE("flows: the parts of every node of LSTM, GRU and a stack add up to its gradient") {
  Generator generator(2);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GRU gru({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const GRU above({.input = 3, .hidden = 2, .name = "above", .dtype = DType::f64}, generator);
  const Stack both({lstm, above});
  const Array xs = sequence(4, 2, 2);
  const auto flows_of = [&](const auto& cell) {
    {
      Tape tape;  // a loss of the last step, at that step
      const auto run = over_time(cell, tape.input(xs, "x"));
      const Step last(tape, 4);
      CHECK(check_flows(mean(square(run.outputs.back()))) > 10);
    }
    Tape tape;  // a loss of all steps, outside of time
    const auto run = over_time(cell, tape.input(xs, "x"));
    return check_flows(mean(square(run.stacked())));
  };
  CHECK(flows_of(lstm) > 20);
  CHECK(flows_of(gru) > 20);
  CHECK(flows_of(both) > 40);
}

TEST_CASE(
    "flows: readers of one step need not stand together, and one on which the loss does not depend gives nothing") {
  Tape tape;
  const Var x = tape.input(Array({2}, {1, 2}), "x");
  const auto at = [&](std::int64_t t, const auto& record) {
    const Step step(tape, t);
    return record();
  };
  const Var h = at(1, [&] { return x * 2; });
  static_cast<void>(at(2, [&] { return h * 100; }));
  static_cast<void>(at(5, [&] { return h * 100; }));
  const Var a = at(2, [&] { return h * 3; });
  const Var b = at(3, [&] { return h * 4; });
  const Var c = at(2, [&] { return h * h; });
  const Var d = at(1, [&] { return h * 5; });
  const Var loss = sum(a + b + c + d);
  for (const bool create_graph : {false, true}) {
    const Gradients g = backward(loss, {.create_graph = create_graph, .flows = true});
    CHECK(g.flow(h, 1).value() == doctest::Approx(std::sqrt(50)));
    CHECK(g.flow(h, 2).value() == doctest::Approx(std::hypot(3 + 4, 3 + 8)));
    CHECK(g.flow(h, 3).value() == doctest::Approx(std::sqrt(32)));
    CHECK_FALSE(g.flow(h, 5));
    CHECK_FALSE(g.flow(h, no_step));
    CHECK(g.flow(x, 1).value() == g.norm(x));  // x stands outside of time
    CHECK(g.flow(a, no_step).value() == doctest::Approx(std::sqrt(2)));
    CHECK(g[x].flat(0) == 2 * (3 + 4 + 4 + 5));
    CHECK(g[x].flat(1) == 2 * (3 + 4 + 8 + 5));
  }
  CHECK(check_flows(loss) > 5);
}

TEST_CASE("flows: a program without time has none") {
  Tape tape;
  const Var x = tape.input(Array::scalar(2)), y = x * x;
  const Gradients g = backward(y + x, {.flows = true});
  CHECK_FALSE(g.flow(x, no_step));
  CHECK_FALSE(g.flow(y, no_step));
}

TEST_CASE("flows: of a parameter they are the norms of its contributions by step, asked for together or not") {
  Generator generator(1);
  const GRU gru({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const auto run = over_time(gru, tape.constant(sequence(4, 2, 2)));
  const Var loss = mean(square(run.stacked()));
  const Gradients contributions = backward(loss, {.by_step = {gru.W_h, gru.b}});
  const Gradients flows = backward(loss, {.flows = true});
  const Gradients both = backward(loss, {.by_step = {gru.W_h}, .flows = true});
  for (std::int64_t t = 1; t <= 4; ++t)
    for (const Parameter& p : {gru.W_h, gru.b}) {
      const double expected = norm(contributions.contribution(p, t));
      CHECK(nearly(flows.flow(tape.use(p), t).value(), expected));
      CHECK(nearly(both.flow(tape.use(p), t).value(), expected));
    }
  CHECK(close(both.contribution(gru.W_h, 2), contributions.contribution(gru.W_h, 2), 1e-15, 1e-12));
  CHECK(close(both[gru.W_h], contributions[gru.W_h], 1e-15, 1e-12));
  CHECK(nearly(both.flow(run.outputs[1], 3).value(), flows.flow(run.outputs[1], 3).value()));
}

TEST_CASE("flows: a recorded backward pass records the same with them") {
  Generator generator(1);
  const GRU gru({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const auto record = [&](Tape& tape, bool flows) {
    const auto run = over_time(gru, tape.input(sequence(4, 2, 2), "x"));
    static_cast<void>(backward(mean(square(run.stacked())), {.create_graph = true, .flows = flows}));
  };
  Tape with, without;
  record(with, true);
  record(without, false);
  REQUIRE(with.size() == without.size());
  for (NodeId id = 0; id < with.size(); ++id) {
    CHECK(with[id].op == without[id].op);
    CHECK(same_bits(with[id].value, without[id].value));
  }
  // and the way back itself can be measured again: its nodes are readers like others
  const Var x = with.var(0);
  CHECK(check_flows(sum(square(with.var(with[x.id()].adjoint)))) > 30);
}

TEST_CASE("flows: a checkpoint reads at its own step, whatever its part does") {
  const Parameter w("w", Array({2}, {3, 5}));
  for (const bool create_graph : {false, true}) {
    Tape tape;
    const Var x = tape.input(Array({2}, {1, 2}), "x");
    const auto at = [&](std::int64_t t, const auto& record) {
      const Step step(tape, t);
      return record();
    };
    const Var h = at(1, [&] { return x * tape.use(w); });
    // steps 2 and 3, of which nothing is kept but the result
    const Var two = at(2, [&] {
      return checkpoint(
          [&](std::span<const Var> in) {
            const Var a = in[0] * tape.use(w);
            const Step step(tape, 3);
            return std::vector<Var>{a * tape.use(w) + in[0]};
          },
          {h})[0];
    });
    const Var own = at(1, [&] { return h * 7; });
    const Gradients plain = backward(sum(two + own));
    const Gradients g = backward(sum(two + own), {.create_graph = create_graph, .flows = true});
    // dL/dh from the part: w^2 + 1
    CHECK(g.flow(h, 2).value() == doctest::Approx(std::hypot(10, 26)));
    CHECK(g.flow(h, 1).value() == doctest::Approx(std::hypot(7, 7)));
    CHECK_FALSE(g.flow(h, 3));
    // dL/dw from the part: 2 w h, with h = x w
    CHECK(g.flow(tape.use(w), 2).value() == doctest::Approx(std::hypot(2 * 3 * 3, 2 * 5 * 10)));
    CHECK(g.flow(tape.use(w), 1).value() == doctest::Approx(std::hypot(17, 66)));
    CHECK_FALSE(g.flow(tape.use(w), 3));
    CHECK(close(g[w], plain[w], 0, 1e-15));
  }
}

TEST_CASE("flows: what a part reads only when it is recorded again is in the gradient all the same") {
  Tape tape;
  const Var x = tape.input(Array({2}, {4, 5}), "x"), in = tape.input(Array({2}, {1, 2}), "in");
  const auto at = [&](std::int64_t t, const auto& record) {
    const Step step(tape, t);
    return record();
  };
  const Var a = at(1, [&] { return in * 1; }), b = at(1, [&] { return in * 1; });  // equal numbers
  bool first = true;
  const Var two =
      at(2, [&] { return checkpoint([&](Var v) { return v * (std::exchange(first, false) ? a : b); }, x); });
  // has its turn before the part: by then, all that was known to read b at step 2 has been heard
  const Var other = at(2, [&] { return b * 3; });
  const Gradients g = backward(sum(two + other), {.also = {b}, .flows = true});
  CHECK(g[b].flat(0) == 3 + 4);
  CHECK(g[b].flat(1) == 3 + 5);
}

TEST_CASE("flows: of steps that are recorded again, gradients and the flows outside of them are right") {
  Generator generator(1);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  for (const Recompute& schedule : {Recompute::every(2), Recompute::revolve(2)}) {
    Tape tape;
    const auto run = over_time(lstm, tape.input(sequence(7, 2, 2), "x"), {.recompute = schedule});
    CHECK(check_flows(mean(square(run.stacked()))) > 10);
  }
}

TEST_CASE("flows: a node at which the sweep stops has those of its readers") {
  Generator generator(1);
  const GRU gru({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const auto run = over_time(gru, tape.constant(sequence(4, 2, 2)));
  const Var loss = mean(square(run.stacked())), h = run.outputs[1];
  const Gradients all = backward(loss, {.flows = true});
  for (const bool create_graph : {false, true}) {
    const Gradients g = backward(loss, {.create_graph = create_graph, .until = {h}, .flows = true});
    CHECK(nearly(g.flow(h, 3).value(), all.flow(h, 3).value()));
    CHECK(nearly(g.flow(h, no_step).value(), all.flow(h, no_step).value()));
    CHECK(g.contains(h));
    CHECK_FALSE(g.flow(run.outputs[0], 2));
  }
}

TEST_CASE("flows: in float32 they are those in float64 to rounding") {
  const auto flow_in = [](DType dtype) {
    Generator generator(1);
    const GRU gru({.input = 2, .hidden = 3, .dtype = dtype}, generator);
    Tape tape;
    const auto run = over_time(gru, tape.constant(sequence(4, 2, 2, dtype)));
    return backward(mean(square(run.stacked())), {.flows = true}).flow(run.outputs[1], 3).value();
  };
  CHECK(flow_in(DType::f32) == doctest::Approx(flow_in(DType::f64)).epsilon(1e-4));
}

TEST_CASE("flows: measuring takes no room for the parts of all steps, and gives back what it took") {
  Generator generator(1);
  const GRU gru({.input = 2, .hidden = 64, .dtype = DType::f64}, generator);
  const auto reserved = [&](bool flows) {
    Tape tape;
    std::size_t bytes = 0;
    for (int repeat = 0; repeat < 3; ++repeat) {
      tape.clear();
      const auto run = over_time(gru, tape.constant(sequence(40, 1, 2)));
      static_cast<void>(backward(mean(square(run.stacked())), {.flows = flows}));
      if (repeat == 0) bytes = tape.bytes_reserved();
    }
    CHECK(tape.bytes_reserved() == bytes);
    return bytes;
  };
  const std::size_t weight = gru.W_h.value().size() * sizeof(double);
  CHECK(reserved(true) < reserved(false) + 4 * weight);
}

TEST_CASE("flows: a rule that fails leaves nothing behind") {
  Tape tape;
  const auto record = [&] {
    tape.clear();
    const Var x = tape.input(Array({100, 100}, DType::f64), "x");
    const Step step(tape, 1);
    const Var failing = custom_vjp(
        [](std::span<const Var> in) { return std::vector<Var>{in[0] * 2}; },
        [](std::span<const Var>, std::span<const Var>, std::span<const Var>) -> std::vector<Var> { throw Error("no"); },
        {x})[0];
    return sum(failing + x * 3);  // x has got something before the rule fails
  };
  std::size_t bytes = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    CHECK_THROWS_WITH_AS(backward(record(), {.flows = true}), "no", Error);
    if (repeat == 1) bytes = tape.bytes_reserved();
  }
  CHECK(tape.bytes_reserved() == bytes);
}

TEST_CASE("flows: what was not measured is said") {
  Tape tape, other;
  const Var x = tape.input(Array::scalar(2)), y = x * x, foreign = other.input(Array::scalar(1));
  CHECK_THROWS_WITH_AS(static_cast<void>(backward(y).flow(x, 1)),
                       "no flows were measured: backward(loss, {.flows = true}) measures what comes back to each node "
                       "from every time step",
                       GradientError);
  CHECK_THROWS_WITH_AS(static_cast<void>(backward(y, {.flows = true}).flow(foreign, 1)),
                       "gradients were asked about a Var of another recording [node 0]", TapeError);
  CHECK_FALSE(backward(y, {.flows = true}).flow(tape.constant(Array::scalar(1)), no_step));
}
