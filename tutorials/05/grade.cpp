#include "exercise.hpp"

#include "../grading.hpp"

#include <cmath>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

// A bowl whose steps can be worked out by hand: L = 3 p^2 + 2 (q_0^2 + q_1^2), so dL/dp = 6 p and dL/dq = 4 q.
struct Bowl {
  Parameter p{"p", Array({1}, {1})}, q{"q", Array({2}, {0.5, 1})};
  int recordings = 0;

  std::vector<double> train(int steps, double rate) {
    try {
      return ::train(
          {p, q},
          [this](Tape& tape) {
            ++recordings;
            return 3.0 * sum(square(tape.use(p))) + 2.0 * sum(square(tape.use(q)));
          },
          rate, steps);
    } catch (const GradientError& error) {
      throw Hint(fmt::format(
          "The tape holds an old recording: the weights have changed since. Clear it and record the loss anew in every "
          "step.\nThe library says: {}",
          error.what()));
    }
  }
};

void one_step() {
  Bowl bowl;
  const std::vector<double> losses = bowl.train(1, 0.1);
  expect(bowl.recordings > 0, "The loss was never recorded: call loss(tape).");
  expect_equal(bowl.p.value().item(), 0.4,
               {{1.6, "The weight went uphill: the gradient points to where the loss grows."},
                {1, "The weight is where it was: mutable_value() changes it."},
                {0.16, "Two steps were made, and one was asked for: count with step < steps."},
                {-5, "The learning rate is not used."}},
               "L = 3 p^2 + ..., p = 1, learning rate 0.1: p - 0.1 * 6 p.");
  expect_equal("q", bowl.q.value(), Array({2}, {0.3, 0.6}),
               {{Array({2}, {0.5, 1}), "Only the first parameter was updated."},
                {Array({2}, {0.3, 1}), "Only the first element of a parameter was updated."}},
               "L = ... + 2 q^2: q - 0.1 * 4 q, for every element.");
  expect(losses.size() == 1,
         fmt::format("One step was asked for, and there are {} losses: one for each step.", losses.size()));
  expect_equal(losses[0], 5.5, {{0.48 + 0.9, "This is the loss after the step. Keep the one before it."}},
               "L = 3 * 1 + 2 * (0.25 + 1).");
}

void more_steps() {
  Bowl bowl;
  const std::vector<double> losses = bowl.train(3, 0.1);
  expect_equal(
      bowl.p.value().item(), 0.064,
      {{1 - 3 * 0.6,
        "Every step used the first gradient. The slope changes as you walk: record and go back in every step."},
       {0.4, "Only one step was made."},
       {0.16, "Only two of three steps were made."},
       {0.0256, "Four steps were made, three were asked for."}},
      "Each step multiplies p by 1 - 0.6: 1, 0.4, 0.16, 0.064.");
  expect(losses.size() == 3,
         fmt::format("Three steps were asked for, and there are {} losses: one for each.", losses.size()));
  expect(losses[2] < losses[1] && losses[1] < losses[0], "The losses should fall: 5.5, 1.38, ...");

  // the same as the library's SGD, from other values
  Parameter mine("w", Array({3}, {2, -1, 0.5})), theirs("w", Array({3}, {2, -1, 0.5}));
  const auto loss_of = [](Parameter w) { return [w](Tape& tape) { return sum(tanh(square(tape.use(w)))); }; };
  ::train({mine}, loss_of(mine), 0.2, 7);
  SGD sgd({theirs}, {.learning_rate = 0.2});
  Tape tape;
  for (int step = 0; step < 7; ++step) {
    tape.clear();
    sgd.step(backward(loss_of(theirs)(tape)));
  }
  expect_equal("w after 7 steps", mine.value(), theirs.value(), {}, "The library's SGD comes out elsewhere.");
}

// The loss after training by a recipe, with the library's own loop.
double loss_by(const Recipe& recipe, std::uint64_t seed) {
  Generator generator(seed);
  const Parameter W1("W1", normal({2, recipe.hidden}, recipe.deviation, generator, DType::f64)),
      b1("b1", Array({recipe.hidden}, DType::f64)),
      W2("W2", normal({recipe.hidden, 1}, recipe.deviation, generator, DType::f64)), b2("b2", Array({1}, DType::f64));
  SGD sgd({W1, b1, W2, b2}, {.learning_rate = recipe.rate});
  Tape tape;
  double loss = 0;
  for (int step = 0; step <= recipe.steps; ++step) {
    tape.clear();
    const Var h = tanh(affine(tape.constant(Array({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1})), tape.use(W1), tape.use(b1)));
    const Var L = mse(affine(h, tape.use(W2), tape.use(b2)), tape.constant(Array({4, 1}, {0, 1, 1, 0})));
    loss = L.item();
    if (!std::isfinite(loss)) break;
    sgd.step(backward(L));
  }
  return loss;
}

void xor_by_recipe() {
  const Recipe recipe = recipe_for_xor();
  expect(recipe.hidden >= 1 && recipe.hidden <= 100, "Take 1 to 100 hidden units.");
  expect(recipe.steps >= 1 && recipe.steps <= 3000, "Take 1 to 3000 steps.");
  expect(recipe.rate > 0, "With a rate of 0 or less nothing is learned: the loss does not go down.");
  expect(recipe.deviation != 0,
         "All weights begin at 0. Then all hidden units are equal and stay so: symmetry does not break. Give them "
         "random values.");
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double loss = loss_by(recipe, seed);
    const std::string said = fmt::format("\nSeed {}: the loss is {:.3g}, and should be below 0.01.", seed, loss);
    expect(std::isfinite(loss) && loss < 1, "It diverges: the learning rate is too large." + said);
    expect(loss < 0.01 || recipe.hidden > 1,
           "One hidden unit bends along one line only. XOR needs at least two." + said);
    const double smaller =
        loss < 0.01 ? loss : loss_by({recipe.hidden, recipe.deviation, recipe.rate / 4, recipe.steps}, seed);
    expect(loss < 0.01 || smaller > loss,
           "The learning rate is too large: with a quarter of it, the loss is lower." + said);
    expect(loss < 0.01, "It has not arrived: more steps, a larger rate, more units, or other first weights." + said);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "5 · Training a line, then a network");

  grading.task("the update rule", [] {
    expect_equal(updated(2, 3, 0.1), 1.7,
                 {{2.3, "This goes uphill: the gradient points to where the loss grows."},
                  {-1, "The learning rate is not used."},
                  {-0.3, "This is the step alone: it is added to where w is."},
                  {1.4, "The weight itself is scaled as well: only the gradient is multiplied by the rate."}},
                 "w = 2, gradient 3, rate 0.1: a step of 0.3, downhill.");
    expect_equal(updated(-1, -2, 0.5), 0, {}, "w = -1, gradient -2, rate 0.5: the loss falls to the right.");
  });

  grading.task("the loss of a line, and its gradient", [] {
    const std::vector<double> xs{1, 2, 4}, ys{1, 3, 2};  // errors of 0.5 x + 1: 0.5, -1, 1
    expect_equal(line_loss(xs, ys, 0.5, 1), 0.75,
                 {{2.25, "This is the sum of the squares; the loss is their mean."},
                  {2.5 / 3, "This is the mean of |error|; the loss has squares."},
                  {0.5 / 3, "This is the mean of the errors, in which they cancel; the loss has squares."},
                  {0.375, "This is half of it: some books put a 1/2 before the squares, this one does not."}},
                 "The errors are 0.5, -1 and 1.");
    const LineGradient g = line_gradient(xs, ys, 0.5, 1);
    expect_equal(g.dw, 5.0 / 3,
                 {{2.5 / 3, "dw: the factor 2 is missing. The derivative of e^2 is 2 e times that of e."},
                  {5, "dw: this is the gradient of the sum. The loss is a mean, so its gradient is one, too."},
                  {2.5, "dw: this is the gradient of the sum, without the factor 2."},
                  {-5.0 / 3, "dw: the sign is wrong. The error is w x + b - y, and its derivative by w is x."},
                  {1.0 / 3, "dw: the inner derivative is missing. w x + b changes by x where w changes by 1."}},
                 "dw is the mean of 2 * error * x.");
    expect_equal(g.db, 1.0 / 3,
                 {{0.5 / 3, "db: the factor 2 is missing."},
                  {1, "db: this is the gradient of the sum. The loss is a mean."},
                  {-1.0 / 3, "db: the sign is wrong."},
                  {5.0 / 3, "db: this is dw. w x + b changes by 1 where b changes by 1."}},
                 "db is the mean of 2 * error.");
    const LineGradient low = line_gradient({1, 2, 3, 4}, {2, 4, 6, 8}, 2, 0);
    expect(low.dw == 0 && low.db == 0, "A line through all points has gradient 0.");
  });

  grading.task("the training loop", [] {
    one_step();
    more_steps();
  });

  grading.task("a recipe for XOR", xor_by_recipe);
  return grading.finish();
}
