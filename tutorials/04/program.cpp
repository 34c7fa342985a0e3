// Chapter 4: arrays, shapes and broadcasting.

#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <xtensor/xview.hpp>

#include <array>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

using Matrix = xt::xarray<double>;

std::string text(const xt::xarray<double>& a) { return to_string(borrow(a)); }

std::string strides(const Var& x) {
  std::string result;
  for (std::size_t axis = 0; axis < x.shape().rank(); ++axis)
    result += fmt::format("{}{}", axis ? ", " : "", x.value().stride(axis));
  return "(" + result + ")";
}

void in_and_out() {
  section("In and out");
  //[ in
  Tape tape;
  const xt::xarray<double> x = {{1, 2, 3}, {4, 5, 6}};
  const Var on_tape = tape.input(x, "x");                 // in: any xtensor expression
  const Var y = square(on_tape);                          // computed on the tape
  const auto back = as_xarray<double>(y.value());         // out: an xtensor expression again
  const xt::xarray<double> columns = xt::sum(back, {0});  // so xtensor goes on from here
  //]
  fmt::print("x                   {}   shape {}\n", text(x), to_string(on_tape.shape()));
  fmt::print("its square          {}\n", to_string(y.value()));
  fmt::print("sum of each column  {}\n", text(columns));
}

void row_major() {
  section("A line of numbers");
  //[ row-major
  xt::xarray<double> xs = xt::arange<double>(12);  // 0, 1, ... 11
  xs.reshape({2, 3, 2});                           // (time, batch, feature)
  for (const auto& [t, b, f] : {std::array{0, 0, 1}, std::array{0, 1, 0}, std::array{1, 0, 0}, std::array{1, 2, 1}})
    fmt::print("xs[t = {}, b = {}, f = {}] = {:2}    (t * 3 + b) * 2 + f = {}\n", t, b, f, xs(t, b, f),
               (t * 3 + b) * 2 + f);
  //]
}

void views() {
  section("Other looks at the same numbers");
  //[ views
  Tape tape;
  const xt::xarray<double> x = {{1, 2, 3}, {4, 5, 6}};
  const Var a = tape.input(x, "x");
  const Var turned = transpose(a);        // (3, 2)
  const Var columns = slice(a, 1, 1, 3);  // columns 1 and 2: (2, 2)
  const Var row = select(a, 0, 1);        // row 1: (3), the axis is gone
  //]
  // where a view begins, in elements from the first one of x
  const auto* first = static_cast<const double*>(a.value().data);
  for (const auto& [name, v] :
       {std::pair{"x", a}, std::pair{"transpose", turned}, std::pair{"slice", columns}, std::pair{"select", row}})
    fmt::print("{:<9}  shape {:<6}  strides {:<6}  begins at element {}   {}\n", name, to_string(v.shape()), strides(v),
               static_cast<const double*>(v.value().data) - first, to_string(v.value()));

  section("The gradient of a view");
  //[ view-gradient
  Tape another;
  const Var whole = another.input(x, "x");
  const Var loss = sum(square(slice(whole, 1, 1, 3).named("columns"))).named("L");
  const Gradients g = backward(loss, {.create_graph = true});
  fmt::print("d/dx of sum(columns^2) = {}\n", to_string(g[whole]));
  render(another, "slice.svg",
         {.gradients = &g,
          .backward = BackwardView::below,
          .values = ValueView::numbers,
          .title = "Two columns are read; the gradient of the other is 0"});
  //]
}

void products() {
  section("The inner extents must agree");
  //[ product
  Tape tape;
  const Var x = tape.input(xt::xarray<double>(xt::ones<double>({3, 2})), "x");       // (batch, feature)
  const Var xs = tape.input(xt::xarray<double>(xt::ones<double>({5, 3, 2})), "xs");  // (time, batch, feature)
  const Var W = tape.input(xt::xarray<double>(xt::ones<double>({2, 4})), "W");       // (input, output)
  fmt::print("{} x {} -> {}\n", to_string(x.shape()), to_string(W.shape()), to_string(matmul(x, W).shape()));
  fmt::print("{} x {} -> {}\n", to_string(xs.shape()), to_string(W.shape()), to_string(matmul(xs, W).shape()));
  //]

  section("An error that says where");
  //[ error
  try {
    const Scope layer(tape, "rnn"), gate(tape, "candidate");
    const Step step(tape, 3);
    matmul(W, select(xs, 0, 2).named("x"));  // the wrong way round
  } catch (const ShapeError& error) { fmt::print("{}\n", error.what()); }
  //]
}

void broadcasting() {
  section("Copied forwards");
  //[ broadcast
  Tape tape;
  const xt::xarray<double> s = {{1, 2}, {3, 4}, {5, 6}}, bias = {10, 20};
  const Var S = tape.constant(s), b = tape.input(bias), c = tape.input(Array({3, 1}, {100, 200, 300}));
  fmt::print("(3, 2) + (2)    = {}\n", to_string((S + b).value()));
  fmt::print("(3, 2) + (3, 1) = {}\n", to_string((S + c).value()));
  fmt::print("(3, 1) + (2)    = {}\n", to_string((c + b).value()));
  //]

  section("Two that do not fit, and one that fits too well");
  //[ trap
  try {
    S + tape.input(xt::xarray<double>{1, 2, 3});  // a number for each row? Shapes are aligned at their last axis
  } catch (const ShapeError& error) { fmt::print("{}\n\n", error.what()); }

  const Var prediction = tape.input(Array({3, 1}, {1, 2, 3}));  // a column
  const Var target = tape.constant(Array({3}, {1, 2, 3}));      // no column
  const Var difference = prediction - target;
  fmt::print("(3, 1) - (3) has shape {}: {}\n", to_string(difference.shape()), to_string(difference.value()));
  fmt::print("mean of its square: {:.4f}, though every prediction is right\n\n", mean(square(difference)).item());

  try {
    mse(prediction, target);
  } catch (const ShapeError& error) { fmt::print("{}\n", error.what()); }
  //]
}

void summed() {
  section("Summed backwards");
  //[ bias
  Tape tape;
  const xt::xarray<double> x = {{1, 0}, {0, 1}, {2, 2}}, w = {{0.5, -1}, {1, 0.5}}, bias = {0.1, -0.2};
  const Var X = tape.constant(x, "x"), W = tape.input(w, "W"), b = tape.input(bias, "b");
  const Var y = (matmul(X, W) + b).named("y");
  const Var loss = sum(square(y)).named("L");
  const Gradients g = backward(loss, {.keep = Keep::all});

  const auto dy = as_xarray<double>(g[y]);
  fmt::print("dL/dy = {}\n", to_string(g[y]));
  fmt::print("dL/db = {}\n", to_string(g[b]));
  fmt::print("dL/dy summed over the batch = {}\n", text(xt::sum(dy, {0})));
  //]

  section("One entry, moved by hand");
  //[ moved
  const auto loss_with = [&](double b0) {
    Tape other;
    const Var moved = other.constant(xt::xarray<double>{b0, -0.2});
    return sum(square(matmul(other.constant(x), other.constant(w)) + moved)).item();
  };
  const double h = 1e-4;
  fmt::print("(L(b_0 + h) - L(b_0 - h)) / 2h = {:.4f}\n", (loss_with(0.1 + h) - loss_with(0.1 - h)) / (2 * h));
  //]

  section("The classic bug");
  //[ bug
  xt::xarray<double> mine = bias;
  mine -= 0.1 * dy;  // the sum over the batch is forgotten
  fmt::print("before: shape {:<7} {}\n", to_string(borrow(bias).shape), text(bias));
  fmt::print("after:  shape {:<7} {}\n", to_string(borrow(mine).shape), text(mine));
  //]

  section("The three gradients of an affine layer");
  //[ affine
  fmt::print("dW, by backward:     {}\n", to_string(g[W]));
  Matrix dW = xt::zeros<double>({2, 2});
  for (std::size_t row = 0; row < 3; ++row)  // one outer product for each row of the batch
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 2; ++j) dW(i, j) += x(row, i) * dy(row, j);
  fmt::print("dW, row after row:   {}\n", text(dW));
  //]
}

void drawn() {
  //[ drawn
  Tape tape;
  const Var x = tape.constant(Array({3, 2}, {1, 0, 0, 1, 2, 2}), "x");
  const Var W = tape.input(Array({2, 2}, {0.5, -1, 1, 0.5}), "W"), b = tape.input(Array({2}, {0.1, -0.2}), "b");
  const Var y = (matmul(x, W) + b).named("y");
  const Var loss = sum(square(y)).named("L");
  const Gradients g = backward(loss, {.create_graph = true});
  render(tape, "bias.svg",
         {.gradients = &g,
          .backward = BackwardView::below,
          .title = "b is copied to three rows, and its gradient is a sum over three rows"});
  fmt::print("{}", equations(tape));
  //]
}

}  // namespace

int main() {
  in_and_out();
  row_major();
  views();
  products();
  broadcasting();
  summed();
  section("Written out");
  drawn();
}
