// Grades the exercises of chapter 9. Values come from the library's own LSTM and from numbers worked out by hand.

#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

constexpr DType f64 = DType::f64;

// A layer with biases that are not 0, so that a forgotten one shows.
LSTM some_layer() {
  Generator generator(7);
  LSTM lstm({.input = 2, .hidden = 3, .dtype = f64}, generator);
  lstm.b.assign(uniform({12}, -1, 1, generator, f64));
  return lstm;
}

Var named(const Tape& tape, const std::string& name) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.name(id) == name) return tape.var(id);
  throw Error("no node is named " + name);
}

void grade_parts() {
  const LSTM lstm = some_layer();
  const textbook::LSTM apart(lstm);
  Generator generator(11);
  Tape tape;
  const Var x = tape.constant(normal({2, 2}, 1, generator, f64)), h = tape.constant(normal({2, 3}, 1, generator, f64));
  const Parts yours = parts(x, h, lstm);
  apart(x, {h, tape.constant(Array({2, 3}, f64))});  // records i, f, g, o by the textbook

  const auto value = [&](const char* name) { return named(tape, name).value().copy(); };
  const Array i = value("i"), f = value("f"), g = value("g"), o = value("o");
  const auto compare = [&](const std::string& name, Var got, const Array& wanted, const textbook::Gate& gate) {
    expect(!got.empty(), fmt::format("{} is empty: nothing was put into it.", name));
    const Var W = tape.use(gate.W), U = tape.use(gate.U), b = tape.use(gate.b);
    const Var from_x = matmul(x, W), from_h = matmul(h, U), all = from_x + from_h + b;
    const bool candidate = name == "g";
    const auto through = [&](Var a) { return (candidate ? tanh(a) : sigmoid(a)).value().copy(); };
    const std::string order = "The blocks stand in the order i f g o. You have read {} where {} should be.";
    std::vector<ArrayMistake> mistakes = {
        {through(from_x + from_h), "The bias is missing: x W_x + h W_h + b."},
        {through(from_x + b), "h_(t-1) is missing: the gates look at x and at h."},
        {through(from_h + b), "x is missing: the gates look at x and at h."},
        {all.value().copy(), "These are the sums. Each block still goes through its own function."},
        {candidate ? sigmoid(all).value().copy() : tanh(all).value().copy(),
         candidate ? "The candidate is a content, not a valve: it may be negative. Which function goes from -1 to 1?"
                   : "A gate is a valve between 0 and 1. Which function goes from 0 to 1?"}};
    for (const auto& [other, array] : {std::pair{"i", i}, {"f", f}, {"g", g}, {"o", o}})
      if (name != other) mistakes.push_back({array, fmt::format(fmt::runtime(order), other, name)});
    const textbook::Gate& block_o = apart.output;
    const Var o_sum = matmul(x, tape.use(block_o.W)) + matmul(h, tape.use(block_o.U)) + tape.use(block_o.b);
    if (candidate) mistakes.push_back({tanh(o_sum).value().copy(), fmt::format(fmt::runtime(order), "o", "g")});
    expect_equal(name, got.value(), wanted, mistakes,
                 fmt::format("{} is not right. Look at one block: which columns, which function?", name));
  };
  compare("g", yours.g, g, apart.candidate);
  compare("i", yours.i, i, apart.input);
  compare("f", yours.f, f, apart.forget);
  compare("o", yours.o, o, apart.output);
}

void grade_next_state() {
  // By hand: c = 0.9 * 0.8 + 0.2 * (-0.5) = 0.62, h = 0.5 * tanh(0.62).
  Tape tape;
  const auto one = [&](double v) { return tape.input(Array({1, 1}, {v})); };
  const LSTMState state = next_state({.i = one(0.2), .f = one(0.9), .g = one(-0.5), .o = one(0.5)}, one(0.8));
  expect_equal(
      state.c.item(), 0.62,
      {{-0.29, "f and i are swapped: f keeps the old c, i admits the new g."},
       {0.22, "g went in without its valve. What does the input gate multiply?"},
       {0.67, "1 - f in place of i: that is the GRU's way (chapter 10). An LSTM has an input gate of its own."},
       {0.70, "c went on without a valve. What does the forget gate multiply?"},
       {-0.10, "The old c is missing: what the forget gate keeps is added."}},
      "c_t has two terms: what is kept and what is admitted.");
  expect_equal(state.h.item(), 0.275564014,
               {{0.31, "This is o * c. h is a hidden state between -1 and 1: c first goes through tanh."},
                {0.300437, "This is tanh(o * c). The valve o stands behind the tanh."},
                {0.551128029, "The output gate is missing."},
                {0.332018385, "h shows the old c. It should show the new one."},
                {0.1, "This is o * i or o * g: h is read from c."}},
               "h_t is what the output gate shows of c_t.", 1e-5);

  const LSTM lstm = some_layer();
  Generator generator(13);
  const Var xs = tape.input(normal({5, 2, 2}, 1, generator, f64));
  const auto yours = over_time(
      [&](Var x, LSTMState before) {
        const LSTMState after = next_state(parts(x, before.h, lstm), before.c);
        return std::pair{after.h, after};
      },
      xs, lstm.zero_state(tape, 2));
  const auto library = over_time(lstm, xs);
  expect_equal("h_5", yours.state.h.value(), library.state.h.value().copy(), {},
               "One step is right, five are not: which state goes on to the next step?");
  const Gradients got = backward(sum(square(yours.state.h))), wanted = backward(sum(square(library.state.h)));
  expect_equal("dL/dW_h", got[lstm.W_h], wanted[lstm.W_h].copy(), {},
               "The values are right and the gradient is not. Was something cut off the tape, by detach() or item()?");
}

// dc_T/dc_0 of the library's LSTM with this forget bias and all weights 0.
double arriving(double forget_bias, int T) {
  Generator generator(1);
  const LSTM lstm({.input = 1, .hidden = 1, .forget_bias = forget_bias, .dtype = f64}, generator);
  for (Parameter p : lstm.parameters())
    if (p.shape().rank() == 2) p.assign(Array(p.shape(), f64));
  Tape tape;
  const Var zero = tape.constant(Array({1, 1}, f64)), c = tape.input(Array({1, 1}, {1.0}));
  LSTMState state{zero, c};
  for (int t = 0; t < T; ++t) state = lstm(zero, state).second;
  return backward(state.c)[c].item();
}

void grade_forget_bias() {
  for (const int T : {10, 100, 1}) {
    const double b = forget_bias_for_half(T), f = std::pow(0.5, 1.0 / T);
    const auto is = [&](double value) { return std::abs(b - value) < 1e-9; };
    if (T > 1) {
      expect(!is(f),
             "This is the gate f with f^T = 1/2. Wanted is the bias b in front of the sigmoid: sigmoid(b) = f.");
      expect(!is(std::log(f)), "This is log f. The inverse of the sigmoid is log(f / (1 - f)).");
      expect(!is(std::log((1 - f) / f)),
             "The sign is the wrong way round: this bias shuts the gate, sigmoid(b) = 1 - f.");
      expect(!is(0),
             "sigmoid(0) = 1/2 halves at every step: right for T = 1 only. What must one factor be, if T of them make "
             "1/2?");
      expect(!is(std::log(0.5 / T / (1 - 0.5 / T))) && !is(std::log((1 - 0.5 / T) / (0.5 / T))),
             "The factors multiply, they do not add up: f^T = 1/2, not T f or T (1 - f).");
    }
    expect_equal(arriving(b, T), 0.5, {},
                 fmt::format("With your bias for T = {}, {:.4g}, a measured dc_T/dc_0 is not 1/2.", T, b), 1e-9);
  }
}

void grade_latch() {
  Generator generator(1);
  textbook::LSTM lstm({.input = 2, .hidden = 1, .dtype = f64}, generator);
  set_latch(lstm);
  // c and h after some steps with equal x
  const auto run = [&](double value, double write, double c_before, int steps = 1) {
    Tape tape;
    LSTMState state{tape.constant(Array({1, 1}, {std::tanh(c_before)})), tape.constant(Array({1, 1}, {c_before}))};
    for (int t = 0; t < steps; ++t) state = lstm(tape.constant(Array({1, 2}, {value, write})), state).second;
    return std::pair{state.c.item(), state.h.item()};
  };
  const auto about = [](double got, double wanted) { return std::abs(got - wanted) < 0.01; };
  const double full = std::tanh(1);  // what value 0.5 leaves

  const double written = run(0.5, 1, 0).first;
  expect(!about(written, 0), "A marked value does not get in: is the input gate open where write is 1?");
  expect(about(written, full), fmt::format("A marked 0.5 leaves c = {:.3f}, and should leave tanh(1) = 0.762. A gate "
                                           "is only open where its sum is large: sigmoid(5) is 0.993, "
                                           "sigmoid(10) is 0.99995.",
                                           written));
  const double seen = run(0.5, 0, 0).first;
  expect(about(seen, 0), fmt::format("A value without a mark gets in: c = {:.3f} from 0. Where write is 0, the sum of "
                                     "the input gate must be far below 0; "
                                     "what can its bias do?",
                                     seen));
  const double kept = run(0, 0, full, 30).first;
  expect(about(kept, full), fmt::format("c fades: {:.3f} after 30 steps of nothing, from 0.762. The forget gate must "
                                        "be so near to 1 that its 30th power is, too.",
                                        kept));
  const double again = run(-0.5, 1, full).first;
  expect(!about(again, 0),
         "Writing -0.5 over 0.5 leaves 0: the new content is added to the old one. Which gate must shut where write is "
         "1?");
  expect(about(again, -full), fmt::format("Writing -0.5 over 0.5 leaves c = {:.3f}, and should leave -0.762.", again));
  const double shown = run(0, 0, full).second;
  expect(about(shown, std::tanh(full)),
         fmt::format("h is {:.3f} and should show tanh(c) = {:.3f}: how far is the output gate open?", shown,
                     std::tanh(full)));

  Tape tape;
  LSTMState state = lstm.zero_state(tape, 1);
  double last = 0;
  for (int t = 1; t <= 30; ++t) {
    const bool mark = t % 11 == 1;
    const double value = generator.uniform(-1, 1);
    if (mark) last = std::tanh(2 * value);
    state = lstm(tape.constant(Array({1, 2}, {value, mark ? 1.0 : 0.0})), state).second;
    expect(std::abs(state.c.item() - last) < 0.02,
           fmt::format("In a sequence of 30 steps c is {:.3f} at step {} and should be {:.3f}. Do values without a "
                       "mark leak in, or does h disturb the gates?",
                       state.c.item(), t, last));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "9 · LSTM, gate by gate");
  grading.task("three gates and a candidate", grade_parts);
  grading.task("the state after the step", grade_next_state);
  grading.task("a forget bias for a half-life", grade_forget_bias);
  grading.task("a latch, set by hand", grade_latch);
  return grading.finish();
}
