// Grades the exercises of chapter 10 against the library's own GRU.

#include "exercise.hpp"

#include "../grading.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace unroll;
using namespace unroll::course;

namespace {

constexpr DType f64 = DType::f64;
constexpr std::int64_t units = 3;  // of x as well, so that gates that act on the wrong vector have a value

// Biases that are not 0, so that a forgotten one shows.
textbook::GRU some_layer(Reset reset = Reset::before) {
  Generator generator(21);
  textbook::GRU gru({.input = units, .hidden = units, .reset = reset, .dtype = f64}, generator);
  for (Parameter p : gru.parameters()) p.assign(normal(p.shape(), 0.8, generator, f64));
  return gru;
}

Var sum_of(const textbook::Gate& gate, Var x, Var h) {
  Tape& tape = x.tape();
  const Var W = tape.use(gate.W), U = tape.use(gate.U), b = tape.use(gate.b);
  const Var from_x = matmul(x, W), from_h = matmul(h, U);
  return from_x + from_h + b;
}

Var named(const Tape& tape, const std::string& name) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.name(id) == name) return tape.var(id);
  throw Error("no node is named " + name);
}

// Wrong candidates, and what to say of them.
std::vector<std::pair<Var, std::string>> wrong_candidates(Var x, Var h, Var r, const textbook::GRU& gru) {
  Tape& tape = x.tape();
  const Var W = tape.use(gru.candidate.W), U = tape.use(gru.candidate.U), b = tape.use(gru.candidate.b);
  const Var right = sum_of(gru.candidate, x, r * h), after = matmul(x, W) + b + r * matmul(h, U);
  return {
      {tanh(after),
       "r acts on the product h U_n here: that is the other form, reset after. This task wants (r * h) U_n."},
      {tanh(sum_of(gru.candidate, x, h)), "The candidate sees all of h: the reset gate is not used."},
      {tanh(sum_of(gru.candidate, r * x, h)), "r acts on x. It says how much of the *past* the candidate sees."},
      {tanh(sum_of(gru.candidate, r * x, r * h)),
       "r acts on x as well. It says how much of the *past* the candidate sees."},
      {tanh(right - b), "The candidate's bias is missing."},
      {sigmoid(right), "The candidate is a content and may be negative: it is a tanh."},
  };
}

void grade_step(Var (*step)(Var, Var, const textbook::GRU&), bool keeping) {
  const textbook::GRU gru = some_layer();
  Generator generator(22);
  Tape tape;
  const Var x = tape.input(normal({2, units}, 1, generator, f64)),
            h = tape.input(normal({2, units}, 1, generator, f64));
  const Var yours = step(x, h, gru);
  expect(!yours.empty(), "An empty Var came back.");
  const Var library = gru(x, {h}).second.h;  // z keeps the past
  const Var r = named(tape, "r"), z = named(tape, "z"), n = named(tape, "n");
  const Var keep = keeping ? z : 1 - z;
  const auto mixed = [&](Var kept, Var content) { return (kept * h + (1 - kept) * content).value().copy(); };

  std::vector<ArrayMistake> mistakes = {
      {mixed(1 - keep, n),
       keeping ? "z and 1 - z are swapped. Here z keeps the past: it stands before h_(t-1)."
               : "z and 1 - z are swapped: this is the first convention. Here z admits the new: it stands before n."},
      {((1 - keep) * n).value().copy(), "The old state is missing: what is kept is added."},
      {(keep * h + n).value().copy(), "n came in without its valve. The two factors add up to 1."},
      {(h + (1 - keep) * n).value().copy(), "h_(t-1) came in without its valve. The two factors add up to 1."},
      {mixed(r, n), "The reset gate mixes here. It belongs into the candidate; z mixes."},
      {n.value().copy(), "This is the candidate. The update gate still mixes it with the past."}};
  for (const auto& [content, hint] : wrong_candidates(x, h, r, gru)) mistakes.push_back({mixed(keep, content), hint});

  // By hand in the other convention: 1 - z and z change places.
  const Array wanted = keeping ? library.value().copy() : mixed(1 - z, n);
  expect_equal("h_t", yours.value(), wanted, mistakes, "h_t is not right. Print r, z and n one after the other.");
  const Gradients got = backward(sum(square(yours))),
                  right = backward(sum(square(keeping ? library : keep * h + (1 - keep) * n)));
  expect(got.contains(gru.reset.U),
         "The value is right, but the reset gate is not on the tape: was something detached?");
  expect_equal("dL/dU_r", got[gru.reset.U], right[gru.reset.U].copy(), {},
               "The value is right and the gradient is not. Was something cut off the tape?");
}

void grade_conversion() {
  const textbook::GRU original = some_layer();
  textbook::GRU changed = some_layer();  // the same numbers
  to_admitting(changed);
  const auto compare = [&](const std::string& name, const Parameter& got, const Parameter& was) {
    const xt::xarray<double> old = as_xarray<double>(was.value());
    const xt::xarray<double> rest = 1 - old, minus = -old;
    expect_equal(
        name, got.value(), Array(minus),
        {{Array(rest),
          "This is 1 - w. 1 - z is wanted behind the sigmoid, and the weights stand before it: 1 - sigmoid(a) = "
          "sigmoid(?)"},
         {was.value(),
          name + " has not changed. The whole sum x W_z + h U_z + b_z is to change, so each of the three is."}},
        name + ": what is 1 - sigmoid(a)?");
  };
  compare("W_z", changed.update.W, original.update.W);
  compare("U_z", changed.update.U, original.update.U);
  compare("b_z", changed.update.b, original.update.b);
  const auto same = [](const Parameter& a, const Parameter& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a.value().flat(i) != b.value().flat(i)) return false;
    return true;
  };
  for (std::size_t i = 0; i < original.parameters().size(); ++i) {
    const Parameter &was = original.parameters()[i], &is = changed.parameters()[i];
    if (was.name().back() != 'z')
      expect(same(was, is), "Only the update gate changes, but " + is.name() +
                                " has changed: r and n mean the same in both conventions.");
  }

  // The proof: the network in the other convention, over six steps.
  Generator generator(23);
  Tape tape;
  const Var xs = tape.constant(normal({6, 2, units}, 1, generator, f64));
  const Var library = over_time(original, xs).state.h;
  const auto admitting = [&](Var x, Var h) {
    const Var z = sigmoid(sum_of(changed.update, x, h)), r = sigmoid(sum_of(changed.reset, x, h));
    const Var n = tanh(sum_of(changed.candidate, x, r * h));
    const Var next = (1 - z) * h + z * n;
    return std::pair{next, next};
  };
  const Var other = over_time(admitting, xs, tape.constant(Array({2, units}, f64))).state;
  expect_equal("h_6", other.value(), library.value().copy(), {},
               "With your weights, the two networks go different ways.");
}

void grade_reset_after() {
  const textbook::GRU gru = some_layer(Reset::after);
  Generator generator(24);
  Tape tape;
  const Var x = tape.input(normal({2, units}, 1, generator, f64)),
            h = tape.input(normal({2, units}, 1, generator, f64));
  gru(x, {h});  // records r and n
  const Var r = named(tape, "r");
  const Array wanted = named(tape, "n").value().copy();
  const Var W = tape.use(gru.candidate.W), U = tape.use(gru.candidate.U), b = tape.use(gru.candidate.b),
            b_h = tape.use(gru.b_hn);
  const Var from_x = matmul(x, W), from_h = matmul(h, U);
  const auto n = [](Var a) { return tanh(a).value().copy(); };
  const Var yours = candidate_after(x, h, r, gru);
  expect(!yours.empty(), "An empty Var came back.");
  expect_equal(
      "n", yours.value(), wanted,
      {{n(from_x + b + matmul(r * h, U) + b_h), "r acts on h, before the product. Here it acts on h U_n + b_hn."},
       {n(from_x + b + matmul(r * h, U)), "r acts on h, before the product, and the second bias is missing."},
       {n(from_x + b + r * from_h), "The second bias b_hn is missing: r acts on h U_n + b_hn."},
       {n(from_x + b + r * from_h + b_h),
        "b_hn stands outside of r, where it would only be a part of b. r acts on the sum h U_n + b_hn."},
       {n(from_x + r * (from_h + b + b_h)), "The first bias b went through the reset gate. It belongs to x W_n."},
       {n(from_x + r * (from_h + b)),
        "The biases are exchanged, or one is missing: b belongs to x W_n, b_hn to h U_n."},
       {n(r * (from_x + b + from_h + b_h)), "r acts on x as well. It says how much of the *past* the candidate sees."},
       {n(from_x + b + from_h + b_h), "The reset gate is not used."}},
      "n = tanh(x W_n + b_n + r * (h U_n + b_hn)): which part is not so?");
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "10 · GRU, and LSTM against GRU");
  grading.task("a step where z keeps the past", [] { grade_step(step_keeping, true); });
  grading.task("a step where z admits the new", [] { grade_step(step_admitting, false); });
  grading.task("weights for the other convention", grade_conversion);
  grading.task("the reset after the product", grade_reset_after);
  return grading.finish();
}
