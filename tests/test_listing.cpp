#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/define.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/equations.hpp>
#include <unroll/core/render/listing.hpp>
#include <unroll/core/render/names.hpp>
#include <unroll/core/render/operation_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

// What the tape looks like as text: a table, and mathematics.

namespace unroll::test {

namespace {

constexpr std::int64_t batch = 2, inputs = 3, hidden = 4;

Array filled(Shape shape) { return spread(std::move(shape), -1, 1); }

// An LSTM from the textbook, written with the public operations. Where a compiler could choose the order of two operations,
// they stand in statements of their own, so that the tape is the same everywhere.
struct Cell {
  explicit Cell(const std::string& module) {
    for (const std::string gate : {"f", "i", "g", "o"}) {
      weights.emplace("W_" + gate, Parameter(module + ".W_" + gate, filled({inputs, hidden})));
      weights.emplace("U_" + gate, Parameter(module + ".U_" + gate, filled({hidden, hidden})));
      weights.emplace("b_" + gate, Parameter(module + ".b_" + gate, filled({hidden})));
    }
  }

  Var gate(Var x, Var h, const std::string& name, const char* scope, Var (*activation)(Var)) const {
    Tape& tape = x.tape();
    const Scope part(tape, scope);
    const Var from_x = matmul(x, tape.use(weights.at("W_" + name)));
    const Var from_h = matmul(h, tape.use(weights.at("U_" + name)));
    const Var products = from_x + from_h;
    return activation(products + tape.use(weights.at("b_" + name))).named(name);
  }

  void step(Var x, Var& h, Var& c) const {
    const Var f = gate(x, h, "f", "forget gate", sigmoid), i = gate(x, h, "i", "input gate", sigmoid);
    const Var g = gate(x, h, "g", "candidate", tanh), o = gate(x, h, "o", "output gate", sigmoid);
    const Var kept = f * c;
    c = (kept + i * g).named("c");
    h = (o * tanh(c)).named("h");
  }

  std::map<std::string, Parameter> weights;
};

// Runs the cell over the time steps of x, an input of shape (T, batch, inputs); returns the last h.
Var run(Var xs, const Cell& cell, const char* scope) {
  Tape& tape = xs.tape();
  const Scope layer(tape, scope);
  Var h, c;
  {
    const Step initial(tape, 0);
    h = tape.constant(Array({batch, hidden}, DType::f64), "h");
    c = tape.input(filled({batch, hidden}), "c");
  }
  for (std::int64_t t = 1; t <= xs.shape()[0]; ++t) {
    const Step now(tape, t);
    cell.step(select(xs, 0, t - 1).named("x"), h, c);
  }
  return h;
}

void record_lstm(Tape& tape, std::int64_t steps) {
  const Var x = tape.input(filled({steps, batch, inputs}), "x");
  backward(sum(run(x, Cell("lstm"), "lstm")).named("L"), {.create_graph = true});
}

// Whether the text has this line.
bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

const Op& named_op(std::string_view name) {
  for (const Op* op : all_ops())
    if (op->name == name) return *op;
  throw std::runtime_error("no such operation");
}

Var scalar_input(Tape& tape, const char* name) { return tape.input(Array::scalar(0.5), name); }

}  // namespace

TEST_CASE("the listing of an LSTM over two steps is the golden one") {
  Tape tape;
  record_lstm(tape, 2);
  CHECK(matches_golden("listing.txt", listing(tape)));
}

TEST_CASE("the equations of an LSTM over two steps are the golden ones") {
  Tape tape;
  record_lstm(tape, 2);
  CHECK(matches_golden("equations.txt", equations(tape)));
}

TEST_CASE("the forward equations of an LSTM are the textbook's") {
  Tape tape;
  record_lstm(tape, 3);
  const std::string text = equations(tape);
  for (const char* line : {
           "x_2 = x[1]",
           "h_0 = 0",
           "f_2 = sigmoid(x_2 W_f + h_1 U_f + b_f)",
           "i_2 = sigmoid(x_2 W_i + h_1 U_i + b_i)",
           "g_2 = tanh(x_2 W_g + h_1 U_g + b_g)",
           "o_2 = sigmoid(x_2 W_o + h_1 U_o + b_o)",
           "c_2 = f_2 * c_1 + i_2 * g_2",
           "h_2 = o_2 * tanh(c_2)",
           "c_1 = f_1 * c_0 + i_1 * g_1",
           "L = sum(h_3)",
           "-- t = 2, lstm",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("the adjoint equations of an LSTM are those of BPTT") {
  Tape tape;
  record_lstm(tape, 3);
  const std::string text = equations(tape);
  for (const char* line : {
           "dX stands for dL/dX",
           "dL = 1",
           "dh_3 = broadcast_to(1, (2, 4))",
           "dc_3 = dh_3 * o_3 * (1 - tanh(c_3)^2)",
           "dc_2 = dc_3 * f_3 + dh_2 * o_2 * (1 - tanh(c_2)^2)",  // from the later step, and from its own
           "do_2 = dh_2 * tanh(c_2)",
           "df_2 = dc_2 * c_1",
           "di_2 = dc_2 * g_2",
           "dg_2 = dc_2 * i_2",
           "delta_f_2 = df_2 * f_2 * (1 - f_2)",
           "delta_g_2 = dg_2 * (1 - g_2^2)",
           "dh_1 = delta_o_2 U_o^T + delta_g_2 U_g^T + delta_i_2 U_i^T + delta_f_2 U_f^T",
           "dc_0 = dc_1 * f_1",
           "dW_f = x_3^T delta_f_3 + x_2^T delta_f_2 + x_1^T delta_f_1",  // the sum over time
           "dU_o = h_2^T delta_o_3 + h_1^T delta_o_2 + h_0^T delta_o_1",
           "db_g = sum(delta_g_3, axis=0) + sum(delta_g_2, axis=0) + sum(delta_g_1, axis=0)",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("without a recorded backward pass there are no adjoints") {
  Tape tape;
  const Var x = scalar_input(tape, "x");
  const Var y = tanh(2 * x).named("y");
  backward(y);
  CHECK(equations(tape) == "== forward ==\n\ny = tanh(2 * x)\n");
}

TEST_CASE("a given cotangent, and one adjoint of several nodes") {
  Tape tape;
  const Var a = tape.input(filled({2}), "a"), b = tape.input(filled({2}), "b");
  const Var y = (a + b).named("y");
  backward(y, {.create_graph = true, .cotangent = filled({2})});
  const std::string text = equations(tape);
  CHECK(has_line(text, "dy = cotangent"));
  CHECK(has_line(text, "da = dy"));
  CHECK(has_line(text, "db = dy"));
}

TEST_CASE("what has no name is written where it is used, or has a line under the name of its operation") {
  Tape tape;
  const Var x = tape.input(filled({2, 3}), "x"), w = tape.input(filled({3, 3}), "w");
  const Var z = matmul(x, w) + matmul(square(x), w) * 0.5;
  (z * exp(z)).named("y");
  const std::string text = equations(tape);
  CHECK(has_line(text, "add = x w + x^2 w * 0.5"));
  CHECK(has_line(text, "y = add * exp(add)"));
}

TEST_CASE("signs, powers and products have the brackets that they need") {
  Tape tape;
  const Var a = tape.input(filled({2, 2}), "a"), b = tape.input(filled({2, 2}), "b");
  const auto text = [&](Var y) {
    y.named("y");
    const std::string all = equations(tape);
    const std::size_t begin = all.rfind(" = ") + 3;
    return all.substr(begin, all.size() - begin - 1);
  };
  CHECK(text(a + -b) == "a - b");
  CHECK(text(a - -b) == "a - (-b)");
  CHECK(text(a * -b) == "a * (-b)");
  CHECK(text(-(a * b)) == "-a * b");
  CHECK(text(-(a + b)) == "-(a + b)");
  CHECK(text(a - (a + b)) == "a - (a + b)");
  CHECK(text(a / (a * b)) == "a / (a * b)");
  CHECK(text(square(a + b)) == "(a + b)^2");
  CHECK(text(matmul(a * b, -b)) == "(a * b) (-b)");
  CHECK(text(matmul(a, transpose(b))) == "a b^T");
  CHECK(text(transpose(transpose(a))) == "a");
  CHECK(text(transpose(matmul(a, transpose(b)))) == "(a b^T)^T");
  CHECK(text(slice(a, 1, 0, 1)) == "a[:, 0:1]");
  CHECK(text(slice(a, -2, 0, 1)) == "a[0:1]");
  CHECK(text(sum(a, {0})) == "sum(a, axis=0)");
  CHECK(text(mean(a)) == "mean(a)");
  CHECK(text(softmax(a, 0)) == "softmax(a, axis=0)");
}

TEST_CASE("names of two layers are told apart, by no more than it takes") {
  Tape tape;
  const Cell lower("stack.lower"), upper("stack.upper");
  const Var x = tape.input(filled({1, batch, inputs}), "x");
  run(x, lower, "lower");
  run(x, upper, "upper");
  const std::string text = equations(tape);
  CHECK(has_line(text, "lower.c_1 = lower.f_1 * lower.c_0 + lower.i_1 * lower.g_1"));
  CHECK(has_line(text, "upper.f_1 = sigmoid(upper.x_1 upper.W_f + upper.h_0 upper.U_f + upper.b_f)"));
  CHECK(has_line(text, "-- t = 1, upper"));
}

TEST_CASE("nodes that nothing else tells apart carry their index") {
  Tape tape;
  Var x = scalar_input(tape, "x");
  for (int k = 0; k < 3; ++k) x = sin(x).named("y");
  const Names names(tape);
  CHECK(names[1] == "y");
  CHECK(names[2] == "y#2");
  CHECK(names[3] == "y#3");
  CHECK(has_line(equations(tape), "y#3 = sin(y#2)"));
}

TEST_CASE("tangents are a program of their own") {
  Tape tape;
  const Var x = scalar_input(tape, "x");
  const Var y = sin(x).named("y");
  jvp(square(y).named("z"), {{x, Array::scalar(1)}});
  const std::string text = equations(tape);
  CHECK(has_line(text, "y' = cos(x)"));
  CHECK(has_line(text, "z' = y' * 2 * y"));
}

TEST_CASE("a derivative of a derivative is printed, too") {
  Tape tape;
  const Var x = scalar_input(tape, "x");
  const Gradients first = backward(tanh(x * x).named("y"), {.create_graph = true});
  backward(square(first.var(x)).named("slope"), {.create_graph = true});
  const std::string text = equations(tape);
  CHECK(text.find("dX stands for dslope/dX") != std::string::npos);
  CHECK(text.find("\ndx = ") != std::string::npos);
}

TEST_CASE("long chains are listed and written in lines of bounded length") {
  for (const bool in_time : {true, false}) {
    CAPTURE(in_time);
    Tape tape;
    const Var w = scalar_input(tape, "w");
    Var x = scalar_input(tape, "x");
    for (int k = 1; k <= 100'000; ++k) {
      if (in_time) tape.place.step = k;
      x = sin(x * w);
    }
    tape.place.step = no_step;
    backward(x.named("L"), {.create_graph = true});
    CHECK(lines(listing(tape)) == tape.size() + 1);
    const std::string text = equations(tape);
    CHECK(longest_line(text) < 250);
    CHECK(text.find("\ndx = ") != std::string::npos);
    if (in_time) CHECK(text.find("\ndw(to t = ") != std::string::npos);
  }
}

TEST_CASE("a node with very many inputs does not widen the listing") {
  Tape tape;
  const std::vector<Var> parts(10'000, scalar_input(tape, "x"));
  stack(parts);
  const std::string text = listing(tape);
  CHECK(text.find("0:x, ... (10000)") != std::string::npos);
  CHECK(longest_line(text) < 200);
}

TEST_CASE("derivatives of pointwise operations as text") {
  CHECK(derivative_text(named_op("tanh"), 0) == "1 - y * y");
  CHECK(derivative_text(named_op("mul"), 0) == "b");
  CHECK(derivative_text(named_op("mul"), 1) == "a");
  CHECK(derivative_text(named_op("div"), 0) == "1 / b");
  CHECK(derivative_text(named_op("div"), 1) == "-y / b");
  CHECK(derivative_text(named_op("pow"), 0) == "2.5 * x^1.5");
  CHECK(derivative_text(named_op("matmul"), 1) == "by operations");
  CHECK(derivative_text(named_op("detach"), 0) == "none");
  CHECK_THROWS_WITH_AS(derivative_text(named_op("mul"), 2), "derivative_text: mul has 2 inputs, so none with index 2",
                       Error);
}

TEST_CASE("the table of operations has a line for each") {
  const std::string table = operation_table();
  CHECK(lines(table) == all_ops().size() + 1);
  for (const Op* op : all_ops()) {
    INFO(op->name);
    CHECK(("\n" + table).find("\n" + std::string(op->name) + " ") != std::string::npos);
  }
}

TEST_CASE("columns are as wide as their widest cell, up to a limit") {
  CHECK(aligned_columns({"a", "b", "ccc", "", "d", "e"}, 2) == "a    b\nccc\nd    e\n");
  CHECK(aligned_columns({"a", "b", "cccccc", "d"}, 2, 3) == "a  b\ncccccc  d\n");
  CHECK(aligned_columns({"\xEA\xB0\x80", "b", "cc", "d"}, 2) == "\xEA\xB0\x80   b\ncc  d\n");  // one character
}

}  // namespace unroll::test
