#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/node_equations.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

// What every node of a tape computes, one text for each.

namespace unroll::test {

namespace {

std::string equation_of(Var x) { return node_equations(x.tape())[x.id()]; }

bool has(const std::vector<std::string>& equations, const std::string& text) {
  return std::find(equations.begin(), equations.end(), text) != equations.end();
}

}  // namespace

TEST_CASE("a named node's equation is written in names, with short parts without a name in place") {
  Tape tape;
  const Var x = tape.input(Array({1, 2}), "x"), w = tape.input(Array({2, 2}), "W"), b = tape.input(Array({2}), "b");
  const Var product = matmul(x, w), before = product + b;
  const Step step(tape, 2);
  const Var f = sigmoid(before).named("f");
  CHECK(equation_of(f) == "f_2 = sigmoid(x W + b)");
  CHECK(equation_of(product) == "x W");
  CHECK(equation_of(before) == "x W + b");
  CHECK(equation_of(x) == "");
}

TEST_CASE("a constant's equation is its number") {
  Tape tape;
  const Var half = tape.scalar(0.5, DType::f64), zero = tape.constant(Array({2}, DType::f64), "h_0");
  const Var mixed = tape.constant(Array({2}, {1, 2}), "m"), same = tape.constant(Array::filled({2}, 3, DType::f64));
  const Var y = (half * zero).named("y"), z = (same * mixed).named("z");
  CHECK(equation_of(half) == "0.5");
  CHECK(equation_of(zero) == "h_0 = 0");
  CHECK(equation_of(mixed) == "");
  CHECK(equation_of(y) == "y = 0.5 * h_0");
  CHECK(equation_of(same) == "constant = 3");  // not a number in a formula: its shape may matter
  CHECK(equation_of(z) == "z = constant * m");
}

TEST_CASE("what is too long to be written in place is called by its operation") {
  Tape tape;
  const Step step(tape, 3);
  const Var x = tape.input(Array({2}), "a_rather_long_name");
  const Var twice = x + x, sum = twice + twice;
  const Var y = tanh(sum).named("y"), z = tanh(twice).named("z");
  CHECK(equation_of(sum) ==
        "add_3 = a_rather_long_name_3 + a_rather_long_name_3 + a_rather_long_name_3 + a_rather_long_name_3");
  CHECK(equation_of(y) == "y_3 = tanh(add_3)");
  CHECK(equation_of(z) == "z_3 = tanh(a_rather_long_name_3 + a_rather_long_name_3)");
}

TEST_CASE("a recorded backward pass is written in dX, delta_X and sums over time") {
  Tape tape;
  const Var w = tape.input(Array({2, 2}), "W");
  Var h = tape.input(Array({1, 2}), "h0");
  for (std::int64_t t = 1; t <= 3; ++t) {
    const Step step(tape, t);
    const Var before = matmul(h, w);
    h = tanh(before).named("h");
  }
  const Var loss = sum(h).named("loss");
  backward(loss, {.create_graph = true});
  const std::vector<std::string> equations = node_equations(tape);
  CHECK(has(equations, "dloss = 1"));
  CHECK(has(equations, "delta_h_3 = dh_3 * (1 - h_3 * h_3)"));
  CHECK(has(equations, "dh_2 = delta_h_3 W^T"));
  CHECK(has(equations, "h_2^T delta_h_3"));
  CHECK(has(equations, "dW(to t = 2) = h_2^T delta_h_3 + h_1^T delta_h_2"));
  CHECK(has(equations, "dW = dW(to t = 2) + h0^T delta_h_1"));
}

TEST_CASE("a sum of contributions at one step is a part") {
  Tape tape;
  const Var x = tape.input(Array({2}), "x");
  const Var loss = sum(tanh(x).named("a") + sigmoid(x).named("b") + exp(x).named("c")).named("loss");
  backward(loss, {.create_graph = true});
  const std::vector<std::string> equations = node_equations(tape);
  CHECK(std::count_if(equations.begin(), equations.end(),
                      [](const std::string& text) { return text.starts_with("dx(part) = "); }) == 1);
  CHECK(std::count_if(equations.begin(), equations.end(),
                      [](const std::string& text) { return text.starts_with("dx = dx(part) + "); }) == 1);
}

TEST_CASE("the tangent of a named node is called after it") {
  Tape tape;
  const Var x = tape.input(Array({2}), "x");
  const Var y = tanh(x).named("y");
  jvp(y, {{x, Array({2}, {1, 2}, DType::f32)}});
  CHECK(node_equations(tape).back().starts_with("y' = "));
}

TEST_CASE("long lists in an equation are shortened, and no character is cut in two") {
  Tape tape;
  const std::string name(150, 'x');
  std::vector<Var> parts;
  for (int i = 0; i < 1000; ++i) parts.push_back(tape.input(Array({2}), fmt::format("p{}", i)));
  CHECK(equation_of(concat(parts, 0).named("all")) == "all = concat(p0, p1, p2, ..., p999, axis=0)");
  std::string korean;
  for (int i = 0; i < 200; ++i) korean += "은";
  for (const char* before : {"", "a", "ab"}) {
    const std::string text = equation_of(tanh(tape.input(Array({2}), before + korean)).named("y"));
    CHECK(text.size() <= 304);
    CHECK(text.ends_with("은 ..."));
  }
}

}  // namespace unroll::test
