#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/custom_vjp.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

// A part of a program with a backward pass that its author wrote by hand.

namespace unroll::test {

namespace {

// The cell update of an LSTM, and its backward pass, as fused kernels have them: gates i, f, g, o and c_(t-1) to h and c. `told` times the part of the
// gradient that reaches c through h, so that a rule can be made wrong.
std::vector<Var> cell_update(const std::vector<Var>& inputs, double told = 1) {
  const Part part = [](std::span<const Var> x) {
    const Var kept = x[1] * x[4], admitted = x[0] * x[2];
    const Var c = (kept + admitted).named("c");
    return std::vector<Var>{(x[3] * tanh(c)).named("h"), c};
  };
  const ReverseRule rule = [told](std::span<const Var> x, std::span<const Var> y, std::span<const Var> g) {
    const Var shown = tanh(y[1]), through_h = told * (g[0] * x[3] * (1 - square(shown)));
    const Var dc = g[1] + through_h;
    return std::vector<Var>{dc * x[2], dc * x[4], dc * x[0], g[0] * shown, dc * x[1]};
  };
  return custom_vjp(part, rule, inputs);
}

std::vector<Var> gates(Tape& tape) {
  std::vector<Var> inputs;
  for (int k = 0; k < 5; ++k) inputs.push_back(tape.input(spread({2, 3}, 0.1, 0.9, k)));
  return inputs;
}

Var loss_of(const std::vector<Var>& results) {
  const Var a = sum(results[0] * results[0]), b = sum(results[1]);
  return a + b;
}

}  // namespace

TEST_CASE("a hand-written reverse rule gives the gradients that the operations give, recorded or not") {
  Tape tape;
  const std::vector<Var> x = gates(tape);
  const Var by_hand = loss_of(cell_update(x));
  const Var kept = x[1] * x[4], admitted = x[0] * x[2];
  const Var c = kept + admitted;
  const Var by_operations = loss_of({x[3] * tanh(c), c});
  CHECK(same_bits(by_hand.value(), by_operations.value()));
  for (const bool recorded : {false, true}) {
    const Gradients a = backward(by_hand, {.create_graph = recorded});
    const Gradients b = backward(by_operations, {.create_graph = recorded});
    for (const Var& input : x) CHECK(close(a[input], b[input], 1e-14, 1e-14));
  }
}

TEST_CASE("the rule counts in reverse mode as it stands, and forward mode goes through the operations of the part") {
  Tape tape;
  const std::vector<Var> x = gates(tape);
  const Var wrong = loss_of(cell_update(x, 0)), right = loss_of(cell_update(x, 1));
  CHECK(!close(backward(wrong)[x[1]], backward(right)[x[1]], 1e-3, 0));
  const Array direction = spread({2, 3}, -1, 1, 7);
  const double moved = jvp(wrong, {{x[1], direction}}).item();
  CHECK(moved == doctest::Approx(jvp(right, {{x[1], direction}}).item()).epsilon(1e-14));
  CHECK(moved != 0);
}

TEST_CASE("a rule written in operations can be differentiated again") {
  Tape tape;
  const Var x = tape.input(Array(Shape{2}, {0.3, -0.8}));
  const Var y = custom_vjp([](Var v) { return tanh(v); }, [](Var, Var v, Var g) { return g * (1 - v * v); }, x);
  const Gradients first = backward(sum(y), {.create_graph = true});
  const Array second = backward(sum(first.var(x)))[x].copy();
  const Var z = tanh(x);
  const Gradients expected = backward(sum(z), {.create_graph = true});
  CHECK(close(second, backward(sum(expected.var(x)))[x], 1e-14, 1e-14));
}

TEST_CASE("the operations of a part and the names of its results stay on the tape") {
  Tape tape;
  const std::vector<Var> results = cell_update(gates(tape));
  CHECK(tape.name(results[0].id()) == "h");
  CHECK(tape.name(results[1].id()) == "c");
  CHECK(results[0].shape() == Shape{2, 3});
  bool found = false;
  for (NodeId id = 0; id < tape.size(); ++id) found |= tape[id].op->name == "tanh";
  CHECK(found);
}

TEST_CASE("a rule may read numbers, and broadcast inputs are summed down") {
  Tape tape;
  const Var x = tape.input(spread({2, 3}, -1, 1)), b = tape.input(spread({3}, -1, 1, 1));
  const Var y = custom_vjp([](Var u, Var v) { return u * v; },
                           [](Var u, Var v, Var, Var g) {
                             const Var gu = g * v;
                             Array gv(g.shape(), DType::f64);
                             for (std::size_t i = 0; i < gv.size(); ++i)
                               gv.set_flat(i, g.value().flat(i) * u.value().flat(i));
                             return std::vector<Var>{gu, g.tape().constant(gv)};
                           },
                           x, b);
  const Var z = x * b;
  const Gradients by_hand = backward(sum(square(y))), expected = backward(sum(square(z)));
  CHECK(close(by_hand[x], expected[x], 1e-15, 0));
  CHECK(close(by_hand[b], expected[b], 1e-15, 0));
}

TEST_CASE("an empty adjoint is zero, and a rule is asked only for what is wanted") {
  Tape tape;
  const Var x = tape.input(spread({3}, -1, 1)), k = tape.constant(spread({3}, -1, 1, 1));
  const Var y = custom_vjp([](Var u, Var v) { return u + v; },
                           [](Var, Var, Var, Var g) {
                             return std::vector<Var>{Var(), g};
                           },
                           x, k);
  const Gradients gradients = backward(sum(y) + sum(x));
  CHECK(close(gradients[x], Array::filled({3}, 1, DType::f64), 0, 0));
}

TEST_CASE("a part that uses more than its inputs, a rule with too few adjoints and no inputs at all are refused") {
  Tape tape;
  const Parameter w("rnn.W_h", spread({3}, -1, 1));
  const Var x = tape.input(spread({3}, -1, 1));
  const auto pass = [](Var, Var, Var g) { return g; };
  CHECK(message([&] { custom_vjp([&](Var u) { return u * tape.use(w); }, pass, x); })
            .starts_with("custom_vjp: the part uses rnn.W_h, which is none of its inputs, so the rule cannot give it a "
                         "gradient  ["));
  const Var outside = tanh(x).named("h");
  const Var inside = custom_vjp([](Var u) { return u * 2; }, pass, outside);
  CHECK(inside.shape() == Shape{3});
  CHECK(message([&] {
          custom_vjp([&](Var u) { return u * outside; }, pass, x);
        }).starts_with("custom_vjp: the part uses h, which is none of its inputs"));
  const Var few = custom_vjp([](Var u, Var v) { return u + v; },
                             [](Var, Var, Var, Var g) { return std::vector<Var>{g}; }, x, outside);
  CHECK(message([&] { backward(sum(few)); }).starts_with("custom_vjp: the rule gave 1 adjoints for 2 inputs"));
  CHECK_THROWS_AS(custom_vjp([](std::span<const Var>) { return std::vector<Var>{}; },
                             [](auto, auto, auto) { return std::vector<Var>{}; }, {}),
                  TapeError);
}

TEST_CASE("a part or rule that is missing, and an adjoint that is on another tape, are refused") {
  Tape tape, other;
  const Var x = tape.input(spread({2}, -1, 1));
  const Part twice = [](std::span<const Var> v) { return std::vector<Var>{v[0] + v[0]}; };
  const ReverseRule astray = [&](std::span<const Var>, std::span<const Var>, std::span<const Var> g) {
    return std::vector<Var>{other.constant(g[0].value().copy())};
  };
  CHECK_THROWS_WITH_AS(custom_vjp(Part(), astray, {x}), "custom_vjp: no part", Error);
  CHECK_THROWS_WITH_AS(custom_vjp(twice, ReverseRule(), {x}), "custom_vjp: no rule", Error);
  const Var y = custom_vjp(twice, astray, {x})[0];
  CHECK_THROWS_WITH_AS(backward(sum(y)), "custom_vjp: the rule gave input 0 an adjoint that is on another tape",
                       TapeError);
}

}  // namespace unroll::test
