#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

// What the tape remembers of a program, and how long. Messages are asserted in test_tape_errors.cpp, derivatives in
// test_gradients.cpp.

namespace unroll::test {

namespace {

Array ones(Shape shape) { return Array::filled(std::move(shape), 1, DType::f64); }

std::string path(const Var& x) { return x.tape().path(x.node().place.scope); }

}  // namespace

TEST_CASE("a node remembers operation, inputs, shape, dtype and value") {
  Tape tape;
  const Var a = tape.input(Array(Shape{2, 1}, {3, 4})), b = tape.constant(Array(Shape{3}, {10, 20, 30}));
  const Var y = a + b;
  CHECK(tape.size() == 3);
  CHECK(y.id() == 2);
  CHECK(y.node().op->name == "add");
  CHECK(tape[a.id()].op->name == "input");
  CHECK(tape[b.id()].op->name == "constant");
  REQUIRE(tape.inputs(y.id()).size() == 2);
  CHECK(tape.inputs(y.id())[0] == a.id());
  CHECK(tape.inputs(y.id())[1] == b.id());
  CHECK(y.shape() == Shape{2, 3});
  CHECK(y.dtype() == DType::f64);
  CHECK(close(y.value(), Array(Shape{2, 3}, {13, 23, 33, 14, 24, 34}), 0, 0));
  CHECK(y.node().tracked);
  CHECK(!(b + b).node().tracked);
  CHECK(tape.var(2) == y);
}

TEST_CASE("a node remembers the attributes of its operation after the caller's are gone") {
  Tape tape;
  const Var x = tape.input(ones({4, 3}));
  const Var y = slice(x, -2, 1, 3), z = pow(x, 2.5);
  REQUIRE(y.node().attributes.ints.size() == 3);
  CHECK(y.node().attributes.ints[0] == -2);
  CHECK(y.node().attributes.ints[1] == 1);
  CHECK(y.node().attributes.ints[2] == 3);
  REQUIRE(z.node().attributes.reals.size() == 1);
  CHECK(z.node().attributes.reals[0] == 2.5);
}

TEST_CASE("an input shares the memory of its array, and keeps it alive") {
  Tape tape;
  Array array(Shape{2}, {1, 2});
  const void* data = array.data();
  const Var x = tape.input(array);
  CHECK(x.value().data == data);
  array = Array();
  CHECK(close(x.value(), Array(Shape{2}, {1, 2}), 0, 0));
}

TEST_CASE("a name belongs to its node, and one name may be given to many") {
  Tape tape;
  std::string text = "h";
  const Var h = tape.input(ones({2}), text);
  text = "c";
  const Var c = (h * 2).named(text), again = (c + h).named("h");
  CHECK(tape.name(h.id()) == "h");
  CHECK(tape.name(c.id()) == "c");
  CHECK(tape.name(again.id()) == "h");
  CHECK(tape.name((h + h).id()).empty());
  for (int i = 0; i < 200; ++i) {  // more names than the tape remembers the addresses of
    const std::string name = "n" + std::to_string(i);
    CHECK(tape.name(neg(h).named(name).id()) == name);
  }
  CHECK(tape.name(c.id()) == "c");
}

TEST_CASE("nodes stand in the scope and at the step in which they were recorded") {
  Tape tape;
  const Var x = tape.input(ones({2}));
  CHECK(path(x).empty());
  CHECK(x.node().place.step == no_step);
  {
    const Scope layer(tape, "lstm");
    const Step step(tape, 3);
    Var in_gate;
    {
      const Scope gate(tape, "forget");
      in_gate = sigmoid(x);
    }
    const Var in_layer = tanh(x);
    CHECK(path(in_gate) == "lstm/forget");
    CHECK(path(in_layer) == "lstm");
    CHECK(in_gate.node().place.step == 3);
    CHECK(tape.last_part(in_gate.node().place.scope) == "forget");
    CHECK(tape.parent(in_gate.node().place.scope) == in_layer.node().place.scope);
    {
      const Step inner(tape, 4);
      CHECK(tanh(x).node().place.step == 4);
    }
    CHECK(tanh(x).node().place.step == 3);
  }
  const Var after = tanh(x);
  CHECK(path(after).empty());
  CHECK(after.node().place.step == no_step);
}

TEST_CASE("a scope entered again is the same scope, and a name may occur in several") {
  Tape tape;
  const Var x = tape.input(ones({2}));
  const auto record = [&](const char* layer, const char* gate) {
    const Scope outer(tape, layer), inner(tape, gate);
    return tanh(x);
  };
  const Var first = record("a", "gate"), other = record("b", "gate"), again = record("a", "gate");
  CHECK(first.node().place.scope == again.node().place.scope);
  CHECK(first.node().place.scope != other.node().place.scope);
  CHECK(path(other) == "b/gate");
}

TEST_CASE("scope and step are restored when an exception leaves them") {
  Tape tape;
  const Var x = tape.input(ones({2, 3}));
  const Scope outer(tape, "outer");
  try {
    const Scope inner(tape, "inner");
    const Step step(tape, 7);
    matmul(x, x);
    FAIL("not refused");
  } catch (const ShapeError&) {}
  const Var y = tanh(x);
  CHECK(path(y) == "outer");
  CHECK(y.node().place.step == no_step);
}

TEST_CASE("where() tells scope, step, phase and node") {
  Tape tape;
  const Var x = tape.input(ones({2}));
  CHECK(tape.where(x.id()) == "[node 0]");
  {
    const Step initial(tape, 0);
    CHECK(tape.where(tanh(x).id()) == "[t = 0, node 1]");
  }
  const Scope layer(tape, "lstm"), gate(tape, "forget");
  CHECK(tape.where(tanh(x).id()) == "[lstm/forget, node 2]");
  const Step step(tape, 3);
  const Var y = sum(tanh(x));
  CHECK(tape.where(y.id()) == "[lstm/forget, t = 3, node 4]");
  backward(y, {.create_graph = true});
  CHECK(tape.where(5) == "[lstm/forget, t = 3, backward, node 5]");
  const Var tangent = jvp(y, {{x, ones({2})}});
  CHECK(tape.where(tangent.id()) == "[lstm/forget, t = 3, tangent, node " + std::to_string(tangent.id()) + "]");
}

TEST_CASE("a recorded backward node stands at the place of the forward node that it comes from") {
  Tape tape;
  Parameter weight("w", ones({2, 2}));
  Var h = tape.input(ones({1, 2}), "x");
  for (int t = 1; t <= 3; ++t) {
    const Scope layer(tape, "rnn");
    const Step step(tape, t);
    h = tanh(matmul(h, tape.use(weight)));
  }
  const Var loss = sum(h);
  const auto forward_size = static_cast<NodeId>(tape.size());
  const Gradients gradients = backward(loss, {.create_graph = true});
  REQUIRE(tape.size() > forward_size);
  std::vector<std::int32_t> added_up;
  for (NodeId id = forward_size; id < tape.size(); ++id) {
    const Node& node = tape[id];
    CAPTURE(id);
    CHECK(node.place.phase == Phase::backward);
    REQUIRE(node.origin < forward_size);
    const Node& origin = tape[node.origin];
    CHECK(node.place.scope == origin.place.scope);
    if (origin.place.step != no_step) CHECK(node.place.step == origin.place.step);
    if (tape.parameter(node.origin) != nullptr && node.op->name == "add") added_up.push_back(node.place.step);
    for (NodeId input : tape.inputs(id)) CHECK(input < id);
  }
  // the weight stands outside of time, but its gradient is added up at the steps that contribute to it
  CHECK(added_up == std::vector<std::int32_t>{2, 1});
  for (NodeId id = 0; id < forward_size; ++id) {
    CAPTURE(id);
    CHECK(tape[id].place.phase == Phase::forward);
    CHECK(tape[id].origin == no_node);
    REQUIRE(tape[id].adjoint != no_node);
    CHECK(tape[tape[id].adjoint].value.shape == tape[id].value.shape);
    CHECK(gradients.var(tape.var(id)).id() == tape[id].adjoint);
  }
  CHECK(tape.place == Place{});
}

TEST_CASE("an unrecorded backward pass leaves the tape as it was") {
  Tape tape;
  const Var x = tape.input(spread({3, 4}, -1, 1)), w = tape.input(spread({4, 5}, -1, 1));
  const std::int64_t targets[] = {4, 0, 2};
  const Var loss = cross_entropy(logsumexp(stack(std::vector{matmul(x, w), matmul(x, w)}, 2), {2}), targets);
  const std::size_t size = tape.size();
  const double before = loss.item();
  backward(loss);
  CHECK(tape.size() == size);
  CHECK(loss.item() == before);
  CHECK(tape.place == Place{});
  CHECK(tape.origin == no_node);
  CHECK(tanh(x).id() == size);
}

TEST_CASE("a parameter is one node of a tape however often it is used, outside of time") {
  Tape tape;
  const Parameter weight("w", ones({2})), tied = weight, other("w", ones({2}));
  const Scope layer(tape, "rnn");
  const Step step(tape, 2);
  const Var first = tape.use(weight);
  CHECK(tape.use(weight) == first);
  CHECK(tape.use(tied) == first);
  CHECK(tape.use(other).id() != first.id());
  CHECK(first.node().place.step == no_step);
  CHECK(path(first) == "rnn");
  CHECK(tape.name(first.id()) == "w");
  REQUIRE(tape.parameter(first.id()) != nullptr);
  CHECK(*tape.parameter(first.id()) == weight);
  CHECK(tape.parameter((first + first).id()) == nullptr);
  CHECK(tape.find(weight) == first.id());
  tape.clear();
  CHECK(tape.find(weight) == no_node);
}

TEST_CASE("clearing a tape reuses its memory: equal recordings hold equally many bytes") {
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    Tape tape;
    Parameter weight("w", spread({64, 64}, -0.1, 0.1));
    const Array input = spread({32, 64}, -1, 1);
    std::size_t held = 0;
    for (int round = 0; round < 6; ++round) {
      tape.clear();
      Var h = tape.input(input);
      for (int t = 0; t < 20; ++t) h = tanh(matmul(h, tape.use(weight)) + 0.5);
      const Gradients gradients = backward(mean(square(h)), {.create_graph = recorded});
      CHECK(gradients.norm(weight) > 0);
      if (round > 0) CHECK(tape.bytes_reserved() == held);
      held = tape.bytes_reserved();
    }
    // forward alone is 20 * 3 arrays of 16 KiB; the backward pass recycles unless it is recorded
    CHECK(held > std::size_t{900} * 1024);
    CHECK(held < (recorded ? std::size_t{8} : std::size_t{3}) * 1024 * 1024);
  }
}

TEST_CASE("a cleared tape forgets its nodes and records from 0 on") {
  Tape tape;
  tanh(tape.input(ones({2}), "old"));
  tape.clear();
  CHECK(tape.size() == 0);
  const Var x = tape.input(ones({3}));
  CHECK(x.id() == 0);
  CHECK(tape.name(0).empty());
}

TEST_CASE("gradients by parameter outlive the tape") {
  Parameter weight("w", Array(Shape{2}, {3, 4}));
  std::optional<Gradients> gradients;
  {
    Tape tape;
    gradients.emplace(backward(sum(square(tape.use(weight)))));
    tape.clear();
    CHECK(close((*gradients)[weight], Array(Shape{2}, {6, 8}), 0, 0));
  }
  CHECK(close((*gradients)[weight], Array(Shape{2}, {6, 8}), 0, 0));
  CHECK(gradients->norm(weight) == 10);
}

TEST_CASE("two tapes live side by side") {
  Tape one;
  const Var a = one.input(Array(Shape{1}, {2}));
  Var b;
  {
    Tape two;
    b = two.input(Array(Shape{1}, {5}));
    const Var y = square(b), z = square(a);
    CHECK(y.item() == 25);
    CHECK(z.item() == 4);
    CHECK(backward(y)[b].item() == 10);
    CHECK(two.size() == 2);
    CHECK(b.alive());
  }
  CHECK(!b.alive());
  CHECK(backward(square(a))[a].item() == 4);
  Tape three;  // may take over the entry of `two`
  three.input(Array(Shape{1}, {1}));
  CHECK(!b.alive());
}

}  // namespace unroll::test
