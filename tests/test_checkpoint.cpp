#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/checkpoint.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

using namespace unroll;
using namespace unroll::test;

namespace {

Array random_array(const Shape& shape, std::uint64_t seed, DType dtype = DType::f64) {
  Generator generator(seed);
  Array x(shape, dtype);
  for (std::size_t i = 0; i < x.size(); ++i) x.set_flat(i, generator.normal());
  return x;
}

// Equal bits of the gradients of every parameter.
void check_equal(const std::vector<Parameter>& parameters, const Gradients& a, const Gradients& b) {
  for (const Parameter& p : parameters) {
    CAPTURE(p.name());
    CHECK(same_bits(a[p], b[p]));
  }
}

// The least number of recomputed steps, by trying every first part: the definition of an optimal schedule.
std::int64_t least(std::int64_t steps, std::int64_t states) {
  static std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> known;
  if (steps == 1) return 0;
  if (states == 1) return steps * (steps - 1) / 2;
  if (const auto found = known.find({steps, states}); found != known.end()) return found->second;
  std::int64_t best = steps * steps;
  for (std::int64_t first = 1; first < steps; ++first)
    best = std::min(best, first + least(first, states) + least(steps - first, states - 1));
  return known[{steps, states}] = best;
}

}  // namespace

TEST_CASE("checkpoint: values and gradients are those without it, to the bit, and the tape is shorter") {
  const Parameter W("W", random_array({3, 3}, 1));
  const auto f = [&](Var x, Var y) { return sum(tanh(matmul(x, x.tape().use(W))) * exp(y) + sin(x)).named("s"); };
  Tape plain, thrifty;
  const auto inputs = [](Tape& tape) {
    const Var x = tape.input(random_array({2, 3}, 2), "x"), y = tape.input(random_array({2, 3}, 3), "y");
    return std::pair(x, y);
  };
  const auto [x, y] = inputs(plain);
  const Var loss = square(f(x, y));
  const auto [u, v] = inputs(thrifty);
  const Var s = checkpoint(f, u, v), again = square(s);
  CHECK(same_bits(loss.value(), again.value()));
  CHECK(thrifty.name(s.id()) == "s");
  CHECK(thrifty.size() < plain.size());

  const Gradients a = backward(loss), b = backward(again);
  check_equal({W}, a, b);
  CHECK(same_bits(a[x], b[u]));
  CHECK(same_bits(a[y], b[v]));
}

TEST_CASE("checkpoint: a part may have several results, give one twice, hand an input through, and capture nodes") {
  const auto run = [](bool check, bool create_graph) {
    Tape tape;
    const Var x = tape.input(random_array({2, 2}, 5), "x"), c = tape.input(random_array({2, 2}, 6), "c");
    const Part part = [c](std::span<const Var> in) {
      const Var h = tanh(in[0] * c);
      return std::vector<Var>{h, exp(h), h, in[0], c};
    };
    const std::vector<Var> r = check ? checkpoint(part, {x}) : part(std::array{x});
    Var total = sum(r[0] * r[1]);
    total = total + sum(square(r[2]));
    total = total + sum(r[3] * r[4]);
    const Gradients g = backward(total, {.create_graph = create_graph});
    return std::pair(g[x].copy(), g[c].copy());
  };
  const auto [x, c] = run(false, false);
  for (const bool create_graph : {false, true}) {
    const auto [x_again, c_again] = run(true, create_graph);
    CHECK(close(x_again, x, 0, 1e-15));
    CHECK(close(c_again, c, 0, 1e-15));
  }
}

TEST_CASE("checkpoint: a part in a part, second derivatives and forward mode") {
  const auto inner = [](Var x) { return sin(x) * x; };
  const auto f = [&](Var x, bool check) {
    return check ? checkpoint([&](Var a) { return exp(checkpoint(inner, a)) * a; }, x) : exp(inner(x)) * x;
  };
  std::vector<double> first, second, forward;
  for (const bool check : {false, true}) {
    Tape tape;
    const Var x = tape.input(Array::scalar(0.7), "x");
    const Var y = f(x, check);
    forward.push_back(jvp(y, {{x, Array::scalar(2)}}).item());
    const Gradients g = backward(y, {.create_graph = true});
    first.push_back(g[x].item());
    second.push_back(backward(g.var(x))[x].item());
  }
  CHECK(first[0] == first[1]);
  CHECK(second[0] == doctest::Approx(second[1]).epsilon(1e-14));
  CHECK(forward[0] == doctest::Approx(2 * first[0]).epsilon(1e-14));
  CHECK(forward[1] == forward[0]);
}

TEST_CASE("checkpoint: a part that records nothing hands the gradient through") {
  for (const bool create_graph : {false, true}) {
    Tape tape;
    const Var x = tape.input(Array({2}, {3, 4}));
    const Var y = checkpoint([](Var a) { return a; }, x);
    CHECK(backward(sum(square(y)), {.create_graph = create_graph})[x].at({1}) == 8);
  }
}

TEST_CASE("checkpoint: forward mode sees a captured constant that moves") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3)), c = tape.constant(Array::scalar(5));
  CHECK(jvp(checkpoint([c](Var a) { return a * c; }, x), {{c, Array::scalar(1)}}).item() == 3);
}

TEST_CASE("checkpoint: forward mode goes through a part of several results, some of which do not move") {
  Tape tape;
  const Var x = tape.input(Array(Shape{2}, {3, 4})), y = tape.input(Array::scalar(5));
  std::vector<Var> r;
  {
    const Scope outside(tape, "outside");
    const Step step(tape, 7);
    const Part part = [&](std::span<const Var> in) {
      const Scope inside(tape, "inside");
      return std::vector<Var>{square(in[1]), in[0] * 2, square(in[0])};
    };
    r = checkpoint(part, {x, y});
  }
  const Var tangent = jvp(r[0] + sum(r[1] * r[2]), {{x, Array(Shape{2}, {1, 10})}});
  CHECK(tangent.item() == 6 * 9 * 1 + 6 * 16 * 10);  // (2 x^3)' = 6 x^2
  const NodeId node = tape.inputs(tape.inputs(r[0].id())[0])[0];
  REQUIRE(tape[node].op->name == "checkpoint");
  std::size_t joined = 0;
  for (NodeId id = r[0].id() + 1; id < tape.size(); ++id) {
    if (tape[id].op->name != "concat") continue;
    ++joined;  // the tangents of the results side by side: the tangent of the node
    CHECK(tape.path(tape[id].place.scope) == "outside");
    CHECK(tape[id].place.step == 7);
    CHECK(tape[id].place.phase == Phase::tangent);
    CHECK(tape[id].origin == node);
  }
  CHECK(joined == 1);
}

TEST_CASE("checkpoint: a part may hold a backward pass of its own") {
  const auto f = [](Var a) {
    const Var inner = a.tape().input(a.value().copy());
    const Gradients g = backward(sum(exp(inner)));
    return a * a.tape().constant(g[inner].copy());
  };
  Tape tape;
  const Var x = tape.input(Array({2}, {1, 2}));
  CHECK(same_bits(backward(sum(square(checkpoint(f, x))))[x], backward(sum(square(f(x))))[x]));
}

TEST_CASE("checkpoint: generators draw again what they drew, and go on as if nothing had been") {
  const Array x = random_array({8, 8}, 1);
  std::vector<Array> gradients;
  std::vector<double> next;
  for (const bool check : {false, true}) {
    Generator generator(11);
    Tape tape;
    const Var in = tape.input(x);
    const auto f = [&generator](Var a) { return dropout(sin(a), 0.5, generator); };
    const Var y = check ? checkpoint([f](std::span<const Var> a) { return std::vector<Var>{f(a[0])}; }, {in},
                                     {.generators = {&generator, &generator}})[0]  // naming it twice changes nothing
                        : f(in);
    gradients.push_back(backward(sum(y))[in].copy());
    next.push_back(generator.uniform());
  }
  CHECK(same_bits(gradients[0], gradients[1]));
  CHECK(next[0] == next[1]);
}

TEST_CASE("checkpoint: a part that is not the same the second time is refused, and everything is given back") {
  Generator generator(1);
  Tape tape;
  const Var x = tape.input(random_array({4}, 1), "x");
  const Var y = checkpoint([&generator](Var a) { return dropout(exp(a), 0.5, generator); }, x);
  const std::size_t size = tape.size();
  CHECK_THROWS_WITH_AS(
      backward(sum(square(y))),
      "checkpoint: the part gave other numbers when it was recorded again: it must depend on its inputs "
      "only; generators from which it draws are named in CheckpointOptions::generators  [node 1]",
      GradientError);
  CHECK(tape.size() == size + 2);
  CHECK(backward(sum(square(x)))[x].size() == 4);  // the tape is usable
}

TEST_CASE("checkpoint: a part that gives another dtype or other shapes the second time is refused") {
  const auto refused = [](const std::function<Var(Var, bool first)>& f) {
    Tape tape;
    bool first = true;
    const Var x = tape.input(Array(Shape{2}, {0, 0}), "x");
    const Var y = checkpoint([&](Var a) { return f(a, std::exchange(first, false)); }, x);
    const std::string why = message([&] { backward(sum(square(y))); });
    CHECK(why.find("checkpoint: the part gave other numbers when it was recorded again") == 0);
  };
  // zeros throughout: what differs is the type and the number of the elements, never their bytes
  refused([](Var a, bool first) { return first ? a * 1 : a.tape().constant(Array(Shape{4}, DType::f32)); });
  refused([](Var a, bool first) { return first ? a * 1 : concat({a, a}, 0); });
  refused([](Var a, bool first) { return first ? a * 1 : slice(a, 0, 0, 1); });
}

TEST_CASE(
    "checkpoint: what a part captures are operands of its node, each once, and so is what it only hands through") {
  Tape tape;
  const Var x = tape.input(Array::scalar(3), "x"), c = tape.input(Array::scalar(5), "c");
  const auto operands = [&](const std::function<std::vector<Var>(Var)>& f) {
    const NodeId node = static_cast<NodeId>(tape.size());
    checkpoint([&](std::span<const Var> in) { return f(in[0]); }, std::vector<Var>{x});
    const auto inputs = tape.inputs(node);
    return std::vector<NodeId>(inputs.begin(), inputs.end());
  };
  CHECK(operands([](Var a) { return std::vector{exp(a)}; }).size() >= 1);
  for (const NodeId id : operands([](Var a) { return std::vector{exp(a)}; })) CHECK(id == x.id());
  const std::vector<NodeId> several = operands([&](Var) { return std::vector{exp(c * c), c}; });
  CHECK(std::count(several.begin(), several.end(), c.id()) == 1);
  const std::vector<NodeId> through = operands([&](Var) { return std::vector{c}; });
  CHECK(std::count(through.begin(), through.end(), c.id()) == 1);
}

TEST_CASE("checkpoint: the gradient reaches a node that the part only hands through") {
  for (const bool create_graph : {false, true}) {
    Tape tape;
    const Var given = tape.constant(Array::scalar(3)), c = tape.input(Array::scalar(5), "c");
    const Var y = checkpoint([&](Var) { return c; }, given);
    CHECK(backward(square(y), {.create_graph = create_graph})[c].item() == 10);
  }
}

TEST_CASE("checkpoint: bad inputs are named") {
  Tape tape, other;
  const Part part = [](std::span<const Var> in) { return std::vector<Var>(in.begin(), in.end()); };
  CHECK_THROWS_WITH_AS(checkpoint(part, std::vector<Var>{}), "checkpoint: no inputs, so no tape to record on",
                       TapeError);
  const std::vector<Var> two{tape.input(Array::scalar(1)), other.input(Array::scalar(1))};
  CHECK_THROWS_WITH_AS(checkpoint(part, two), "checkpoint: inputs of several tapes", TapeError);
}

TEST_CASE("recompute: every schedule gives the gradients of full BPTT to the bit") {
  Generator generator(1);
  const LSTM lstm({.input = 3, .hidden = 5, .peepholes = true}, generator);
  const GRU gru({.input = 3, .hidden = 5}, generator);
  const auto check = [&](const auto& cell, const auto& initial, std::int64_t steps, const OverTimeOptions& options) {
    Tape tape;
    const std::vector<Var> xs = time_steps(tape.input(random_array({steps, 2, 3}, 4, DType::f32), "x"));
    const auto run = over_time(cell, xs, initial(tape), options);
    const Var outputs = mean(square(run.stacked() - 0.3)), end = sum(square(sin(state_vars(run.state).back())));
    const Gradients g = backward(outputs + end, {.keep = Keep::all});
    std::vector<Array> result{run.stacked().value().copy(), g[tape.var(0)].copy()};
    for (const Parameter& p : cell.parameters()) result.push_back(g[p].copy());
    for (NodeId id = 0; id < tape.size(); ++id)
      if (tape[id].place.step == 0) result.push_back(g[tape.var(id)].copy());
    return result;
  };
  const auto compare = [&](const auto& cell, const auto& initial) {
    for (const std::int64_t steps : {1, 2, 7, 16}) {
      const std::vector<Array> full = check(cell, initial, steps, {});
      for (const Recompute& schedule :
           {Recompute::every(1), Recompute::every(3), Recompute::every(100), Recompute::square_root(),
            Recompute::revolve(1), Recompute::revolve(2), Recompute::revolve(3), Recompute::revolve(50)}) {
        const std::vector<Array> thrifty = check(cell, initial, steps, {.recompute = schedule});
        REQUIRE(thrifty.size() == full.size());
        for (std::size_t i = 0; i < full.size(); ++i) CHECK(same_bits(thrifty[i], full[i]));
      }
    }
  };
  const auto part = [](Tape& tape, const char* name) {
    const Step step(tape, 0);
    return tape.input(random_array({2, 5}, 9, DType::f32), name);
  };
  compare(lstm, [&](Tape& tape) {
    const Var h = part(tape, "h"), c = part(tape, "c");
    return LSTMState{h, c};
  });
  compare(gru, [&](Tape& tape) { return HiddenState{part(tape, "h")}; });
}

TEST_CASE("recompute: a state that is handed on for some steps, and an output that is always the same node") {
  // h_t and h_(t-1) are both state, and the second is handed on as it is
  struct Delayed {
    Var h, before;
  };
  std::vector<Array> gradients;
  for (const std::optional<Recompute>& schedule :
       {std::optional<Recompute>{}, std::optional(Recompute::every(3)), std::optional(Recompute::revolve(2))}) {
    Tape tape;
    const Var x = tape.input(random_array({7, 1, 2}, 3), "x"), h = tape.input(random_array({1, 2}, 4), "h");
    const Var constant = tape.constant(random_array({1, 2}, 5));
    const auto cell = [constant](Var in, const Delayed& s) {
      const Var next = tanh(in + s.h * s.before);
      return std::pair(constant, Delayed{next, s.h});
    };
    const auto run = over_time(cell, time_steps(x), Delayed{h, h}, {.recompute = schedule});
    const Gradients g = backward(sum(run.state.h * run.state.before));
    gradients.push_back(g[x].copy());
    gradients.push_back(g[h].copy());
  }
  for (std::size_t i = 2; i < gradients.size(); ++i) CHECK(close(gradients[i], gradients[i % 2], 1e-16, 1e-14));
}

TEST_CASE("recompute: padding, the way backwards and dropout come out to the bit, too") {
  Generator weights(1);
  const GRU gru({.input = 3, .hidden = 4}, weights);
  for (const bool reverse : {false, true}) {
    std::vector<Array> gradients;
    for (const std::optional<Recompute>& schedule :
         {std::optional<Recompute>{}, std::optional(Recompute::revolve(2))}) {
      Generator noise(5);
      const auto cell = [&](Var x, const HiddenState& before) { return gru(dropout(x, 0.5, noise), before); };
      Tape tape;
      const std::vector<Var> xs = time_steps(tape.input(random_array({9, 3, 3}, 4, DType::f32), "x"));
      const auto run =
          over_time(cell, xs, gru.zero_state(tape, 3),
                    {.lengths = {9, 1, 5}, .reverse = reverse, .recompute = schedule, .generators = {&noise}});
      const Var outputs = sum(square(run.stacked())), last = sum(run.state.h);
      const Gradients g = backward(outputs + last);
      gradients.push_back(g[gru.W_h].copy());
      gradients.push_back(g[tape.var(0)].copy());
    }
    CHECK(same_bits(gradients[0], gradients[2]));
    CHECK(same_bits(gradients[1], gradients[3]));
  }
}

TEST_CASE("recompute: the binomial schedule is the best there is, and the formula counts it") {
  for (std::int64_t states = 1; states <= 6; ++states)
    for (std::int64_t steps = 1; steps <= 40; ++steps) {
      CAPTURE(states);
      CAPTURE(steps);
      CHECK(revolve_steps(steps, states) == least(steps, states));
    }
}

TEST_CASE("recompute: so many steps are computed again as the schedule says") {
  for (const auto& [steps, schedule] : std::vector<std::pair<std::int64_t, Recompute>>{{30, Recompute::revolve(1)},
                                                                                       {30, Recompute::revolve(3)},
                                                                                       {30, Recompute::revolve(5)},
                                                                                       {31, Recompute::every(5)},
                                                                                       {30, Recompute::every(5)},
                                                                                       {30, Recompute::square_root()},
                                                                                       {1, Recompute::revolve(4)},
                                                                                       {56, Recompute::revolve(3)}}) {
    std::int64_t calls = 0;
    const auto cell = [&calls](Var x, Var h) {
      ++calls;
      const Var next = tanh(x + h);
      return std::pair(next, next);
    };
    Tape tape;
    std::vector<Var> xs;
    for (std::int64_t t = 0; t < steps; ++t)
      xs.push_back(tape.constant(Array::filled({1, 1}, 0.1 * static_cast<double>(t))));
    const auto run = over_time(cell, xs, tape.input(Array({1, 1}), "h"), {.recompute = schedule});
    static_cast<void>(backward(sum(run.state)));
    CHECK(calls == steps + schedule.recomputed_steps(steps));
  }
}

TEST_CASE(
    "recompute: the square root of a square number is exact, and where there are no steps none is computed again") {
  CHECK(Recompute::square_root().recomputed_steps(16) == 12);  // four parts of four, all but the last one again
  CHECK(Recompute::square_root().recomputed_steps(17) == 15);  // parts of five
  for (const Recompute& schedule : {Recompute::square_root(), Recompute::every(3), Recompute::revolve(2)}) {
    CHECK(schedule.recomputed_steps(0) == 0);
    CHECK(schedule.recomputed_steps(1) == 0);
  }
  CHECK(Recompute::square_root().divide(0).first == 0);
  CHECK(Recompute::every(4).divide(10).schedules.at(0).recomputed_steps(4) == 0);  // a part is recorded as it is
  CHECK(revolve_steps(1, 3) == 0);
}

TEST_CASE(
    "recompute: what a cell captures gets its gradient, and is one operand of a part that uses it at every step") {
  const auto gradients = [](std::optional<Recompute> schedule) {
    Tape tape;
    const Var a = tape.input(Array::scalar(0.5), "a"), b = tape.input(Array::scalar(-0.3), "b");
    const auto cell = [a, b](Var x, Var h) {
      const Var next = tanh(a * h + b * x);
      return std::pair(next, next);
    };
    std::vector<Var> xs;  // constants: through a and b alone does anything depend on an input
    for (const double x : {1.0, 2.0, 3.0, 4.0, 5.0}) xs.push_back(tape.constant(Array::scalar(x)));
    const auto run = over_time(cell, xs, tape.constant(Array::scalar(0.1)), {.recompute = schedule});
    for (NodeId id = 0; id < tape.size(); ++id)
      if (tape[id].op->name == "checkpoint") {
        const auto operands = tape.inputs(id);
        CHECK(std::count(operands.begin(), operands.end(), a.id()) == 1);
        CHECK(std::count(operands.begin(), operands.end(), b.id()) == 1);
      }
    const Gradients g = backward(run.state);
    return std::pair(g[a].item(), g[b].item());
  };
  CHECK(gradients(Recompute::every(3)) == gradients({}));
}

TEST_CASE("recompute: memory follows the schedule") {
  Generator generator(1);
  const LSTM lstm({.input = 4, .hidden = 32}, generator);
  const auto bytes = [&](std::optional<Recompute> schedule) {
    Tape tape;
    const std::vector<Var> xs = time_steps(tape.constant(random_array({2000, 8, 4}, 1, DType::f32)));
    // the output of a step is one number, so that what remains is states
    const auto cell = [&](Var x, const LSTMState& before) {
      const auto [h, state] = lstm(x, before);
      return std::pair(mean(square(h)), state);
    };
    const LSTMState zero = lstm.zero_state(tape, 8);
    const Var loss = mean(over_time(cell, xs, zero, {.recompute = schedule}).stacked());
    static_cast<void>(backward(loss));
    return static_cast<double>(tape.bytes_reserved());
  };
  const double all = bytes({}), few = bytes(Recompute::square_root()), least_bytes = bytes(Recompute::revolve(8));
  CHECK(few < all / 10);
  CHECK(least_bytes <= few);
}

TEST_CASE("recompute: numbers that make no schedule are refused") {
  CHECK_THROWS_WITH_AS(Recompute::every(0), "recompute: every 0 steps: expected at least 1", Error);
  CHECK_THROWS_WITH_AS(Recompute::revolve(0), "recompute: 0 stored states: expected at least 1, the initial one",
                       Error);
  Tape tape;
  Generator generator(1);
  const GRU gru({.input = 1, .hidden = 1}, generator);
  const Var x = tape.constant(Array({2, 1, 1}));
  CHECK_THROWS_WITH_AS(
      over_time(gru, x, {.truncate = Truncation{1, 1}, .recompute = Recompute::every(1)}),
      "over_time: truncate and recompute were given, expected one of them: a truncated gradient needs no "
      "recomputation",
      Error);
  const std::vector<Var> many(2000, slice(x, 0, 0, 1));
  CHECK_THROWS_WITH_AS(
      over_time([](Var in, Var h) { return std::pair(in, h); }, many, x, {.recompute = Recompute::revolve(1)}),
      "recompute: with 1 stored states for 2000 steps, some would be computed 1999 times again: give it more", Error);
  struct Uncopyable {
    std::unique_ptr<int> owned;
    std::pair<Var, Var> operator()(Var in, Var h) const { return {in, h}; }
  };
  CHECK(over_time(Uncopyable{}, many, x).outputs.size() == 2000);
  CHECK_THROWS_WITH_AS(over_time(Uncopyable{}, many, x, {.recompute = Recompute::every(1)}),
                       "over_time: recompute keeps a copy of the cell on the tape, and this cell cannot be copied",
                       Error);
  CHECK_THROWS_WITH_AS(revolve_steps(0, 1), "revolve_steps: 0 steps with 1 states: expected at least 1 of each", Error);
}
