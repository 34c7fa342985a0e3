// Chapter 3: one rule for each operation.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

using namespace unroll;
using unroll::course::section;

//[ rule
// The derivative of tanh, given the argument x and the result y.
const auto tanh_rule = [](auto, auto y) { return 1 - y * y; };
//]

void a_local_factor() {
  section("The rule of tanh");
  fmt::print("   x    y = tanh(x)   rule: 1 - y^2   wiggled    1 - x^2\n");
  for (const double x : {-2.0, -0.5, 0.0, 0.5, 2.0}) {
    const double y = std::tanh(x), e = 1e-4;
    const double wiggled = (std::tanh(x + e) - std::tanh(x - e)) / (2 * e);
    fmt::print("{:4.1f}   {:12.6f}   {:13.6f}   {:.6f}   {:8.2f}\n", x, y, tanh_rule(x, y), wiggled, 1 - x * x);
  }
}

void three_readers() {
  section("One expression, three readers");
  //[ readers
  fmt::print("as a number: {:.6f}\n", tanh_rule(0.5, std::tanh(0.5)));
  fmt::print("as text:     {}\n\n", tanh_rule(Symbol{"x"}, Symbol{"y"}).text);
  Tape tape;
  const Var x = tape.input(Array::scalar(0.5), "x");
  const Var y = tanh(x).named("y");
  tanh_rule(x, y);
  fmt::print("{}", listing(tape));
  //]
}

void what_is_written_down() {
  section("What the library has written down");
  const std::string table = operation_table();
  const std::vector<std::string> chosen{"add", "exp", "log", "matmul", "mul", "relu", "sigmoid", "square", "tanh"};
  for (std::size_t begin = 0, end; (end = table.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = table.substr(begin, end - begin), name = line.substr(0, line.find(' '));
    if (begin == 0 || std::find(chosen.begin(), chosen.end(), name) != chosen.end()) fmt::print("{}\n", line);
  }
}

//[ product
using Matrix = xt::xarray<double>;

// c_ij is the sum over k of a_ik b_kj.
Matrix product(const Matrix& a, const Matrix& b) {
  using xt::all, xt::newaxis, xt::view;
  return xt::sum(view(a, all(), all(), newaxis()) * view(b, newaxis(), all(), all()), {1});
}
//]

void matrices() {
  section("The rule of a matrix product");
  //[ matmul
  const Matrix X{{1, 2, 3}, {4, 5, 6}};                        // (2, 3)
  const Matrix W{{1, 0, 2, -1}, {3, 1, 0, 2}, {-2, 1, 1, 0}};  // (3, 4)
  const Matrix dY{{1, 0, 0, 0}, {0, 0, 10, 100}};              // as Y, (2, 4)
  const Matrix dX = product(dY, xt::transpose(W));             // (2, 4) (4, 3) = (2, 3)
  const Matrix dW = product(xt::transpose(X), dY);             // (3, 2) (2, 4) = (3, 4)

  Tape tape;
  const Var x = tape.input(X, "X"), w = tape.input(W, "W");
  const Gradients gradients = backward(matmul(x, w), {.cotangent = Array(dY)});
  //]
  fmt::print("dX = dY W^T\n{}\ndW = X^T dY\n{}\n", to_string(Array(dX)), to_string(Array(dW)));
  fmt::print("the tape says the same: {}, {}\n", as_xarray<double>(gradients[x]) == dX,
             as_xarray<double>(gradients[w]) == dW);
}

double dot(const ArrayView& a, const ArrayView& b) { return xt::sum(as_xarray<double>(a) * as_xarray<double>(b))(); }

std::string row(const ArrayView& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size(); ++i) text += fmt::format("{:9.4f}", numbers.flat(i));
  return text;
}

// All zeros but for a one.
Array unit(const Shape& shape, std::size_t position) {
  Array result(shape, DType::f64);
  result.set_flat(position, 1);
  return result;
}

void two_products() {
  section("The Jacobian by rows and by columns");
  //[ jacobian
  Tape tape;
  const Var x = tape.input(Array({1, 3}, {0.2, -0.4, 0.1}), "x");
  const Var W = tape.constant(Array({3, 2}, {1, -2, 0.5, 1, 2, 3}), "W");
  const Var y = tanh(matmul(x, W));

  for (std::size_t i = 0; i < 2; ++i) {  // reverse: which mix of outputs? -> what it feels of every input
    const Gradients g = backward(y, {.cotangent = unit(y.shape(), i)});
    fmt::print("row {}, by vjp:    {}\n", i, row(g[x]));
  }
  for (std::size_t j = 0; j < 3; ++j) {  // forward: which way do the inputs move? -> how every output moves
    const Var t = jvp(y, {{x, unit(x.shape(), j)}});
    fmt::print("column {}, by jvp: {}\n", j, row(t.value()));
  }
  //]
  section("One number, computed from both sides");
  //[ adjoint
  const Array u({1, 2}, {3, -1}), v({1, 3}, {1, 2, -2});
  const Var Jv = jvp(y, {{x, v}});
  const Gradients Ju = backward(y, {.cotangent = u});
  fmt::print("J v    = {}\nJ' u   = {}\n", row(Jv.value()), row(Ju[x]));
  fmt::print("<u, J v> = {:.6f}\n<J' u, v> = {:.6f}\n", dot(u, Jv.value()), dot(Ju[x], v));
  //]
}

// Operations that were recorded from a node on.
std::size_t operations(const Tape& tape, std::size_t from) {
  std::size_t count = 0;
  for (std::size_t id = from; id < tape.size(); ++id) count += tape[static_cast<NodeId>(id)].input_count > 0;
  return count;
}

struct Cost {
  std::size_t program, forward, reverse;
};

//[ cost
// The whole Jacobian of n inputs -> 4 -> m outputs: one forward sweep for each input, one reverse sweep for each output.
Cost cost(std::int64_t n, std::int64_t m) {
  Generator generator(1);
  Tape tape;
  const Var x = tape.input(normal({1, n}, 1, generator), "x");
  const Var first = tape.constant(normal({n, 4}, 1, generator)), second = tape.constant(normal({4, m}, 1, generator));
  const Var y = matmul(tanh(matmul(x, first)), second);
  Cost result{operations(tape, 0), 0, 0};

  std::size_t before = tape.size();
  for (std::size_t j = 0; j < x.shape().size(); ++j) jvp(y, {{x, unit(x.shape(), j).as(DType::f32)}});
  result.forward = operations(tape, before);

  before = tape.size();
  for (std::size_t i = 0; i < y.shape().size(); ++i)
    backward(y, {.create_graph = true, .cotangent = unit(y.shape(), i).as(DType::f32)});
  result.reverse = operations(tape, before);
  return result;
}
//]

void why_reverse() {
  section("What all derivatives cost");
  PlotSeries forward{.label = "forward mode", .xs = {}, .ys = {}}, reverse{.label = "reverse mode", .xs = {}, .ys = {}};
  fmt::print("inputs   outputs   the program   forward mode   reverse mode\n");
  const auto show = [](std::int64_t n, std::int64_t m) {
    const Cost c = cost(n, m);
    fmt::print("{:6}   {:7}   {:11}   {:12}   {:12}\n", n, m, c.program, c.forward, c.reverse);
    return c;
  };
  for (const std::int64_t n : {1, 10, 100, 1000}) {
    const Cost c = show(n, 1);
    for (PlotSeries* series : {&forward, &reverse}) series->xs.push_back(static_cast<double>(n));
    forward.ys.push_back(static_cast<double>(c.forward));
    reverse.ys.push_back(static_cast<double>(c.reverse));
  }
  for (const std::int64_t m : {10, 100, 1000}) show(1, m);
  draw({.title = "Operations for the gradient of one loss",
        .x_label = "inputs",
        .y_label = "operations",
        .log_x = true,
        .log_y = true,
        .series = {forward, reverse},
        .height = 320},
       "cost.svg");
}

void pictures() {
  Tape tape;
  const Var x = tape.input(Array::scalar(0.5), "x"), w = tape.input(Array::scalar(2), "w");
  const Var a = (w * x).named("a");
  const Var h = tanh(a).named("h");
  const Gradients gradients = backward(square(h).named("L"), {.create_graph = true});
  render(tape, "rules.svg",
         {.gradients = &gradients,
          .backward = BackwardView::below,
          .values = ValueView::numbers,
          .title = "L = tanh(w x)^2, and the rules that its backward pass is made of"});

  PlotSeries y{.label = "y = tanh(x)", .xs = {}, .ys = {}, .points = false};
  PlotSeries dy{.label = "1 - y^2", .xs = {}, .ys = {}, .points = false};
  PlotSeries s{.label = "y = sigmoid(x)", .xs = {}, .ys = {}, .points = false};
  PlotSeries ds{.label = "y (1 - y)", .xs = {}, .ys = {}, .points = false};
  for (int i = -60; i <= 60; ++i) {
    const double at = i / 12.0, t = std::tanh(at), sigma = 1 / (1 + std::exp(-at));
    for (PlotSeries* series : {&y, &dy, &s, &ds}) series->xs.push_back(at);
    y.ys.push_back(t);
    dy.ys.push_back(1 - t * t);
    s.ys.push_back(sigma);
    ds.ys.push_back(sigma * (1 - sigma));
  }
  draw({.title = "Two activations, and their derivatives from the result",
        .x_label = "x",
        .y_label = "y",
        .series = {y, dy, s, ds},
        .height = 340},
       "activations.svg");
}

int main() {
  a_local_factor();
  three_readers();
  what_is_written_down();
  matrices();
  two_products();
  why_reverse();
  pictures();
}
