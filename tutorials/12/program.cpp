#include <unroll/unroll.hpp>

#include "../course.hpp"

#include <array>
#include <cmath>
#include <iostream>

#include <fmt/format.h>

using namespace unroll;
using course::section;

namespace {

// How a backward pass written by hand treats the kept part of the state.
enum class Kept { right, forgotten };

//[ step
// h_t = k * h_(t-1) + (1 - k) * n_t, n_t = tanh(x_t W + h_(t-1) U + b), k = sigmoid(s): a cell that changes slowly.
std::vector<Var> step(std::span<const Var> in) {
  const Var x = in[0], before = in[1], W = in[2], U = in[3], b = in[4], s = in[5];
  const Var k = sigmoid(s).named("k");
  const Var n = tanh(affine(x, W, before, U, b)).named("n");
  const Var kept = k * before, admitted = (1 - k) * n;
  return {(kept + admitted).named("h"), n, k};
}
//]

//[ backward
// From the adjoint of h_t to the adjoints of the six inputs of the step, written by hand.
std::vector<Var> step_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> adjoint,
                               Kept how) {
  const Var x = in[0], before = in[1], W = in[2], U = in[3];
  const Var n = out[1], k = out[2], dh = adjoint[0];
  const Var da = dh * (1 - k) * (1 - square(n));  // through tanh, to its argument
  const Var through_n = matmul(da, transpose(U));
  const Var dbefore = how == Kept::right ? through_n + dh * k : through_n;
  const Var dk = dh * (before - n);
  return {matmul(da, transpose(W)),      dbefore,      matmul(transpose(x), da),
          matmul(transpose(before), da), sum(da, {0}), sum(dk * k * (1 - k), {0})};
}
//]

//[ cell
struct SlowCell : Module {
  Parameter W, U, b, s;
  Kept how;

  SlowCell(std::int64_t input, std::int64_t hidden, Kept how_, DType dtype = DType::f64) : Module("slow"), how(how_) {
    Generator generator(1);
    W = add("W", normal({input, hidden}, 0.7, generator, dtype));
    U = add("U", normal({hidden, hidden}, 0.7, generator, dtype));
    b = add("b", normal({hidden}, 0.7, generator, dtype));
    s = add("s", normal({hidden}, 0.7, generator, dtype));
  }
  HiddenState zero_state(Tape& tape, std::int64_t batch) const {
    return zero_hidden_state(tape, name(), batch, b.shape()[0], b.dtype());
  }
  std::pair<Var, HiddenState> operator()(Var x, HiddenState before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto rule = [how = how](auto in, auto out, auto adjoint) { return step_backward(in, out, adjoint, how); };
    const Var h = custom_vjp(step, rule, {x, before.h, tape.use(W), tape.use(U), tape.use(b), tape.use(s)})[0];
    return {h, {h}};
  }
};
//]

// Two steps of the cell as the operations that it is composed of, without the backward pass by hand.
void draw_cell() {
  const SlowCell weights(2, 3, Kept::right);
  const auto plain = [&](Var x, Var h) {
    Tape& t = x.tape();
    const Scope scope(t, "slow");
    const std::array<Var, 6> in{x, h, t.use(weights.W), t.use(weights.U), t.use(weights.b), t.use(weights.s)};
    const Var next = step(in)[0];
    return std::pair{next, next};
  };
  Generator numbers(2);
  Tape tape;
  const Var xs = tape.constant(normal({2, 1, 2}, 1, numbers, DType::f64));
  const auto run = over_time(plain, xs, weights.zero_state(tape, 1).h);
  const Gradients g = backward(mean(square(run.state)), {.keep = Keep::all, .flows = true});
  render(tape, "slow.svg", {.gradients = &g});
}

}  // namespace

int main() {
  section("One derivative by wiggling");
  //[ wiggle
  const double x = 0.5, exact = 1 - std::tanh(x) * std::tanh(x);  // the derivative of tanh
  PlotSeries simple{"(f(x+h) - f(x)) / h", {}, {}}, central{"(f(x+h) - f(x-h)) / 2h", {}, {}};
  fmt::print("     h   one-sided   central\n");
  for (int exponent = -1; exponent >= -13; --exponent) {
    const double h = std::pow(10, exponent);
    const double one_sided = (std::tanh(x + h) - std::tanh(x)) / h;
    const double both_sides = (std::tanh(x + h) - std::tanh(x - h)) / (2 * h);
    simple.xs.push_back(h), simple.ys.push_back(std::abs(one_sided - exact));
    central.xs.push_back(h), central.ys.push_back(std::abs(both_sides - exact));
    if (exponent >= -9 &&
        exponent % 2 != 0)  // in orders of magnitude: digits of rounding errors differ between machines
      fmt::print("1e{:03d}     1e{:03.0f}     1e{:03.0f}\n", exponent, std::log10(simple.ys.back()),
                 std::log10(central.ys.back()));
  }
  draw({.title = "How far the quotient is from the derivative of tanh at 0.5",
        .x_label = "step h",
        .y_label = "error",
        .log_x = true,
        .log_y = true,
        .series = {simple, central},
        .id = "wiggle"},
       "wiggle.svg");
  //]

  section("The cell, checked");
  draw_cell();
  //[ check
  const LayerCheckOptions three_steps{.steps = 3, .batch = 2, .input = 2};
  std::cout << gradcheck(SlowCell(2, 3, Kept::right), three_steps);
  //]

  section("The same cell with one term forgotten");
  //[ forgotten
  const SlowCell wrong(2, 3, Kept::forgotten);
  std::cout << gradcheck(wrong, three_steps);
  //]

  section("One step is not enough");
  //[ one_step
  fmt::print("{:<22}{:>8}{:>8}{:>8}\n", "by", "T = 1", "T = 2", "T = 3");
  std::array<GradcheckReport, 3> reports;
  for (std::size_t T = 1; T <= 3; ++T)
    reports[T - 1] = gradcheck(
        wrong, {.steps = static_cast<std::int64_t>(T), .batch = 2, .input = 2, .gradcheck = {.diagnose = false}});
  for (std::size_t leaf = 0; leaf < reports[0].rows.size(); ++leaf) {
    fmt::print("{:<22}", reports[0].rows[leaf].name);
    for (const GradcheckReport& report : reports) fmt::print("{:>8}", report.rows[leaf].passed ? "ok" : "WRONG");
    fmt::print("\n");
  }
  //]

  section("A sum that hides a fault");
  //[ ones
  // softmax, and a rule for it that gives zero for everything
  const auto zero_rule = [](Var, Var, Var g) { return g * 0; };
  const auto wrong_softmax = [&](Var a) { return custom_vjp([](Var z) { return softmax(z); }, zero_rule, a); };
  const Array numbers({3}, {0.3, -1.2, 0.8});
  const auto with_ones = [&](std::span<const Var> v) { return sum(wrong_softmax(v[0])); };
  const auto with_random_weights = [&](std::span<const Var> v) { return wrong_softmax(v[0]); };
  fmt::print("L = sum(y):      {}\n", gradcheck(with_ones, {numbers}) ? "passes" : "fails");
  fmt::print("L = sum(u * y):  {}\n", gradcheck(with_random_weights, {numbers}) ? "passes" : "fails");
  //]

  section("A large layer");
  //[ large
  const SlowCell large(64, 64, Kept::right), large_wrong(64, 64, Kept::forgotten);
  LayerCheckOptions directions{
      .steps = 5, .batch = 4, .input = 64, .gradcheck = {.mode = CheckMode::directions, .diagnose = false}};
  std::size_t entries = 0, compared = 0;
  const GradcheckReport report = gradcheck(large, directions);
  for (const GradcheckRow& row : report.rows) entries += row.entries, compared += row.compared;
  fmt::print("entries by differences:     {:5} runs of the program\n", 4 * entries);
  fmt::print("random directions:          {:5} runs\n", 4 * compared);
  fmt::print("the right cell {}, the wrong one {}\n", report ? "passes" : "fails",
             gradcheck(large_wrong, directions) ? "passes" : "fails");
  //]

  section("float32");
  //[ float32
  const GradcheckReport single = gradcheck(SlowCell(2, 3, Kept::right, DType::f32), three_steps);
  fmt::print("{}, tolerance {}\n", single ? "passes" : "fails", single.tolerance);
  for (const std::string& note : single.notes) fmt::print("note: {}\n", note);
  //]
}
