#include "exercise.hpp"

#include "../grading.hpp"

#include <functional>

using namespace unroll;
using namespace unroll::course;

namespace {

// ---- tasks 1 and 2: the library's own cell says what is right

const Array from_input({2, 2}, {0.5, -0.7, 0.3, 0.9}), from_state({2, 2}, {0.4, 0.8, -0.6, 0.2}),
    bias({2}, {0.3, -0.2});
const Array xs({3, 1, 2}, {0.6, -0.4, 0.1, 0.9, -0.8, 0.5}), first_state({1, 2}, {0.5, -0.3});

// The states h_1 ... h_3 of the library's cell, which begins at h_0.
std::vector<Array> right_states() {
  Generator generator(1);
  textbook::RNN rnn({.input = 2, .hidden = 2, .dtype = DType::f64}, generator);
  rnn.W_x.assign(from_input), rnn.W_h.assign(from_state), rnn.b.assign(bias);
  Tape tape;
  const auto [outputs, last] = over_time(rnn, tape.constant(xs), HiddenState{tape.constant(first_state)});
  std::vector<Array> states;
  for (const Var& h : outputs) states.push_back(h.value().copy());
  return states;
}

struct Recorded {
  Tape tape;
  Weights weights{tape.input(from_input, "W_xh"), tape.input(from_state, "W_hh"), tape.input(bias, "b")};
  Var h_0 = tape.input(first_state, "h_0");
  std::vector<Var> inputs = time_steps(tape.constant(xs, "x"));
};

void grade_cell() {
  Recorded r;
  const Var x = r.inputs[0], h = r.h_0;
  const auto& [W, U, b] = r.weights;
  const Var mine = cell(x, h, r.weights);
  const Var wx = matmul(x, W), uh = matmul(h, U), sum = wx + uh;
  expect_equal("h_1", mine.value(), right_states()[0],
               {{(sum + b).value().copy(),
                 "The sum is right. What is missing is the function around it, which keeps h between -1 and 1."},
                {tanh(sum).value().copy(), "The bias b is not in your sum."},
                {tanh(wx + b).value().copy(),
                 "The state h does not enter. A cell without it has no memory: which product is missing?"},
                {tanh(matmul(x, U) + matmul(h, W) + b).value().copy(),
                 "The two matrices have changed places: the first letter of W_xh says what it is multiplied with."},
                {(tanh(wx + b) + uh).value().copy(),
                 "h W_hh stands outside of tanh: it belongs to the sum that tanh is taken of."},
                {(tanh(wx) + tanh(uh) + b).value().copy(), "One tanh for the whole sum, not one for each product."}},
               "Not yet tanh(x W_xh + h W_hh + b). Compute the sum first, and look at it with to_string(v.value()).");
}

void grade_unrolled() {
  Recorded r;
  const std::vector<Var> mine = unrolled(r.inputs, r.h_0, r.weights);
  const std::vector<Array> right = right_states();
  expect(mine.size() == 3,
         fmt::format("Three inputs should give three states; yours gives {}. Is h_0 among them, or a step missing?",
                     mine.size()));
  const auto states_from = [&](const std::function<Var(std::size_t)>& h_of) {
    std::vector<Var> parts;
    for (std::size_t t = 0; t < 3; ++t) parts.push_back(h_of(t));
    return stack(parts).value().copy();
  };
  const Array wanted = [&] {
    Array all({3, 1, 2}, DType::f64);
    for (std::size_t i = 0; i < 6; ++i) all.set_flat(i, right[i / 2].flat(i % 2));
    return all;
  }();
  Var from_zero = r.tape.constant(Array({1, 2}, DType::f64)), same_input = r.h_0, backwards = r.h_0;
  expect_equal("h_1 ... h_3", stack(mine).value(), wanted,
               {{states_from([&](std::size_t t) { return cell(r.inputs[t], r.h_0, r.weights); }),
                 "Every step begins at h_0 again, so nothing is remembered. Which state should step 2 get?"},
                {states_from([&](std::size_t t) { return from_zero = cell(r.inputs[t], from_zero, r.weights); }),
                 "Your loop begins at a state of zeros. It is given an h_0: begin there."},
                {states_from([&](std::size_t) { return same_input = cell(r.inputs[0], same_input, r.weights); }),
                 "Every step reads x_1. Step t reads xs[t - 1]."},
                {states_from([&](std::size_t t) { return backwards = cell(r.inputs[2 - t], backwards, r.weights); }),
                 "The inputs come in the wrong order: x_1 first."}},
               "The cell is right, the loop is not yet. What comes out of step t must go into step t + 1.");
  const Gradients g = backward(sum(square(mine[2])));
  expect(
      g.contains(r.h_0),
      "The numbers are right, but no gradient reaches h_0: a state was copied off the tape. Hand on the Var itself.");
}

// ---- tasks 3 and 4: the tape of the library, and what usual mistakes give

const ScalarRNN rnn{0.7, 1.3, -0.2};
const std::vector<double> x = {0, 0.9, -0.4, 0.3, 0.6};

struct Right {
  std::vector<double> parts;
  ScalarGradient all;
};

Right right_gradients() {
  const Parameter w_xh("w_xh", Array({1, 1}, {rnn.w_xh})), w_hh("w_hh", Array({1, 1}, {rnn.w_hh})),
      b("b", Array({1}, {rnn.b}));
  Tape tape;
  const auto one_unit = [&](Var input, Var h) {
    const Var next = tanh(affine(input, tape.use(w_xh), h, tape.use(w_hh), tape.use(b)));
    return std::pair{next, next};
  };
  const auto T = static_cast<std::int64_t>(x.size()) - 1;
  const Var inputs = tape.constant(Array({T, 1, 1}, std::span(x).subspan(1)));
  const auto sequence = over_time(one_unit, inputs, tape.constant(Array({1, 1}, DType::f64)));
  const Gradients g = backward(sequence.state, {.by_step = {w_hh}});
  Right right{{0}, {g[w_xh].item(), g[w_hh].item(), g[b].item()}};
  for (std::int64_t t = 1; t <= T; ++t) right.parts.push_back(g.contribution(w_hh, t).item());
  return right;
}

Array as_array(const std::vector<double>& v) { return Array({static_cast<std::int64_t>(v.size())}, std::span(v)); }

// The way back with one thing done otherwise: the derivative of the activation, the operand of w_hh, the factor to the step before.
struct Otherwise {
  std::function<double(double h, double a)> slope = [](double h, double) { return 1 - h * h; };
  bool own_state = false;        // h[t] in place of h[t - 1]
  bool through_weight = true;    // da * w_hh, not da alone
  bool carries = true;           // dh goes on to the step before
  bool slope_on_the_way = true;  // dh * w_hh would leave it out
};
std::vector<double> parts(const Otherwise& o) {
  const std::vector<double> h = states(rnn, x);
  std::vector<double> result(h.size(), 0.0);
  double dh = 1;
  for (std::size_t t = h.size() - 1; t >= 1; --t) {
    const double a = std::atanh(h[t]), da = dh * o.slope(h[t], a);
    result[t] = da * h[o.own_state ? t : t - 1];
    if (o.carries) dh = (o.slope_on_the_way ? da : dh) * (o.through_weight ? rnn.w_hh : 1.0);
  }
  return result;
}

void grade_contributions() {
  const std::vector<double> mine = contributions(rnn, x);
  expect(
      mine.size() == x.size(),
      fmt::format("The result has {} elements and should have T + 1 = {}: result[0] stays 0.", mine.size(), x.size()));
  std::vector<double> last_only(x.size(), 0.0), shifted(x.size(), 0.0);
  const Right right = right_gradients();
  last_only.back() = right.parts.back();
  for (std::size_t t = 1; t < x.size(); ++t) shifted[t - 1] = right.parts[t];
  expect_equal(
      "contributions", as_array(mine), as_array(right.parts),
      {{as_array(last_only),
        "Only the last step contributes in yours. w_hh was used at every step: let the loop go on down to t = 1."},
       {as_array(parts({.slope = [](double, double) { return 1.0; }})),
        "The factor of tanh is missing: how much does h[t] move when its argument moves?"},
       {as_array(parts({.slope = [](double, double a) { return 1 - a * a; }})),
        "You took 1 - a^2, of the argument. The derivative of tanh wants the result: look at h[t]."},
       {as_array(parts({.own_state = true})),
        "An index is off by one: what was w_hh multiplied with at step t? Not with the state of the same step."},
       {as_array(parts({.through_weight = false})),
        "On its way to the step before, the gradient passes through the product with w_hh. Where is that factor?"},
       {as_array(parts({.carries = false})),
        "Every step begins with dh = 1. Only the last state is the loss: the others get their dh from the step after."},
       {as_array(parts({.slope_on_the_way = false})),
        "What goes to the step before has passed through tanh, too: hand on da, not dh."},
       {as_array(shifted),
        "The numbers are right and stand one place too early: what belongs to step t goes into result[t]."}},
      "Take T = 1 first and derive it on paper; then ask what a second step adds.");
}

void grade_gradient() {
  const ScalarGradient mine = gradient(rnn, x);
  const Right right = right_gradients();
  const double steps = static_cast<double>(x.size() - 1);
  const std::vector<double> h = states(rnn, x);
  const double last = 1 - h.back() * h.back();
  const std::string mean =
      "This is the sum divided by the number of steps. A shared weight gets the sum: nothing divides in the chain "
      "rule.";
  const std::string only = "This is the last step alone. Add up what all steps contribute.";
  expect_equal(mine.w_hh, right.all.w_hh,
               {{right.all.w_hh / steps, mean},
                {right.parts.back(), only},
                {0,
                 "It is 0. That is what step 1 contributes, since h_0 is 0: is each step added (+=), or does the last "
                 "one that is written replace the others? And is the sum returned?"}},
               "The gradient by w_hh is the sum of what contributions() gives.");
  expect_equal(
      mine.b, right.all.b,
      {{right.all.b / steps, mean},
       {last, only},
       {steps, "This adds up 1 for each step: what flows into b is da, the gradient of the sum inside of tanh."}},
      "b stands in the sum alone: its contribution at step t is da, with no further factor.");
  expect_equal(mine.w_xh, right.all.w_xh,
               {{right.all.w_xh / steps, mean},
                {last * x.back(), only},
                {right.all.w_hh, "This is the gradient by w_hh. What is w_xh multiplied with at step t?"}},
               "The contribution to w_xh at step t is da times what w_xh is multiplied with there. x[0] is not used: "
               "x[t] belongs to step t.");
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "6 · A cell and its unrolling");
  grading.task("the cell", grade_cell);
  grading.task("the loop that carries the state", grade_unrolled);
  grading.task("what each step contributes to dL/dw_hh", grade_contributions);
  grading.task("the gradients of all three shared weights", grade_gradient);
  return grading.finish();
}
