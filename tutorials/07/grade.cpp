#include "exercise.hpp"

#include "../grading.hpp"

using namespace unroll;
using namespace unroll::course;

namespace {

// ---- 1: worked out by hand

void grade_lesson() {
  const Lesson mine = lesson_from("abca", "cab");  // c is 0, a is 1, b is 2
  expect_shape(
      "xs", mine.xs, {3, 1, 3},
      "Of a word of four letters three go in: nothing follows the last one. The axes are (time, batch, letter).");
  expect_equal("xs", mine.xs, Array({3, 1, 3}, {0, 1, 0, 0, 0, 1, 1, 0, 0}),
               {{Array({3, 1, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0}),
                 "These are the letters that follow. At step 1 the first letter goes in."},
                {Array({3, 1, 3}, DType::f64), "All zeros: a one-hot row has a 1 at the number of its letter."},
                {Array({3, 1, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1}),
                 "The 1 stands where the letter stands in the word. Its number is its place in `letters`."}},
               "Row t is 1 at the number of its letter and 0 elsewhere. set_flat counts in row-major order: row t "
               "begins at t * letters.size().");
  const std::vector<std::int64_t> wanted = {2, 0, 1}, same = {1, 2, 0};
  expect(mine.targets != same,
         "Each target is the letter that goes in. The network is to say the one that comes next.");
  expect(
      mine.targets == wanted,
      fmt::format(
          "Behind a, b, c of \"abca\" come b, c, a; with the letters \"cab\" the targets are 2, 0, 1. Yours are: {}.",
          fmt::join(mine.targets, ", ")));
}

// ---- 2: the library's loss over time

void grade_mean_loss() {
  Tape tape;
  const std::vector<Var> logits = {tape.input(Array({1, 3}, {0.2, -1.0, 0.7})),
                                   tape.input(Array({1, 3}, {1.5, 0.1, -0.4})),
                                   tape.input(Array({1, 3}, {-0.3, 0.8, 2.0}))};
  const std::vector<std::int64_t> targets = {1, 0, 2};
  const double right = cross_entropy(logits, targets).item();
  const auto of_step = [&](std::size_t t) { return cross_entropy(logits[t], {&targets[t], 1}).item(); };
  std::vector<Var> softmaxed;
  for (const Var& y : logits) softmaxed.push_back(softmax(y));
  const Var mine = mean_loss(logits, targets);
  expect_shape("the loss", mine.value(), {}, "A loss is one number, or backward() would not know where to begin.");
  expect_equal(
      mine.item(), right,
      {{3 * right,
        "This is the sum over the steps. For the mean, divide by their number: then the learning rate does not depend "
        "on the length."},
       {of_step(2), "Only the last step counts in yours. Every letter has an answer that can be right or wrong."},
       {of_step(0), "Only the first step counts in yours."},
       {cross_entropy(softmaxed, targets).item(),
        "cross_entropy takes the logits themselves: it does the softmax. Yours is taken twice."}},
      "The loss of step t is cross_entropy(logits[t], {&targets[t], 1}); wanted is the mean over t.");
  expect(backward(mine).contains(logits[0]),
         "The number is right, but no gradient comes back to the logits: compute with Vars, not with item().");
}

// ---- 3: the tape's gradient

void grade_adjoint() {
  const Row logits = {0.4, -0.9, 1.3, 0.2};
  const std::int64_t target = 2;
  Tape tape;
  const Var y = tape.input(Array({1, 4}, std::span(logits)));
  const ArrayView p = softmax(y).value();
  const Gradients g = backward(cross_entropy(y, {&target, 1}));
  Row probabilities;
  for (std::size_t i = 0; i < 4; ++i) probabilities.push_back(p.flat(i));
  const Row mine = adjoint_of_logits(probabilities, 2);
  const auto row = [](const Row& r) { return Array({1, static_cast<std::int64_t>(r.size())}, std::span(r)); };
  Row opposite, by_p(4, 0.0);
  for (std::size_t i = 0; i < 4; ++i) opposite.push_back(-g[y].flat(i));
  by_p[2] = -1 / probabilities[2];
  expect_equal(
      "dL/dy", row(mine), g[y].copy(),
      {{row(probabilities), "This is p itself: the right answer is not in it yet. At the target something is missing."},
       {row(opposite), "The sign is the other way round: a larger logit of a wrong letter makes the loss larger."},
       {row(by_p),
        "This is the derivative by p, not by y. Behind it stands the Jacobian of softmax, and the product of both is "
        "short."}},
      "Write out L = -y[target] + log(sum of exp y) and differentiate by one y[i], once for i = target and once for "
      "another.");
}

// ---- 4: differences, and the gradient check's diagnosis

const std::string letters = "helo", word = "hello";
constexpr std::int64_t hidden = 3, classes = 4;
constexpr std::size_t T = 4;

struct Network {
  Generator generator{3};
  Parameter W_xh{"W_xh", normal({classes, hidden}, 0.7, generator, DType::f64)};
  Parameter W_hh{"W_hh", normal({hidden, hidden}, 0.7, generator, DType::f64)};
  Parameter b{"b", normal({hidden}, 0.3, generator, DType::f64)};
  Parameter W_hy{"W_hy", normal({hidden, classes}, 0.7, generator, DType::f64)};
  Parameter b_y{"b_y", normal({classes}, 0.3, generator, DType::f64)};

  static std::size_t number(std::size_t t) { return letters.find(word[t]); }
  std::vector<Parameter> parameters() const { return {W_xh, W_hh, b, W_hy, b_y}; }

  // The loss; on request also what the reader's function gets.
  Var record(Tape& tape, Forward* forward = nullptr) const {
    const auto numbers = [](const Var& v) {
      Row row;
      for (std::size_t i = 0; i < v.value().size(); ++i) row.push_back(v.value().flat(i));
      return row;
    };
    Var h = tape.constant(Array({1, hidden}, DType::f64), "h"), loss = tape.scalar(0, DType::f64);
    if (forward) *forward = {T, {Row(classes, 0.0)}, {numbers(h)}, {Row(classes, 0.0)}, {0}};
    for (std::size_t t = 1; t <= T; ++t) {
      const Step step(tape, static_cast<std::int64_t>(t));
      Array one_hot({1, classes}, DType::f64);
      one_hot.set_flat(number(t - 1), 1);
      const Var x = tape.constant(one_hot, "x");
      const Var from_x = matmul(x, tape.use(W_xh)), from_h = matmul(h, tape.use(W_hh));
      h = tanh((from_x + from_h + tape.use(b)).named("a")).named("h");
      const Var y = (matmul(h, tape.use(W_hy)) + tape.use(b_y)).named("y");
      const auto target = static_cast<std::int64_t>(number(t));
      loss = loss + cross_entropy(y, {&target, 1}).named("L");
      if (forward) {
        forward->x.push_back(numbers(x));
        forward->h.push_back(numbers(h));
        forward->p.push_back(numbers(softmax(y)));
        forward->target.push_back(number(t));
      }
    }
    return loss;
  }
};

Matrix rows_of(const Array& array) {
  Matrix rows(static_cast<std::size_t>(array.shape()[0]));
  const std::size_t columns = array.size() / rows.size();
  for (std::size_t i = 0; i < array.size(); ++i) rows[i / columns].push_back(array.flat(i));
  return rows;
}
Row row_of(const Array& array) { return {array.span<double>().begin(), array.span<double>().end()}; }

Array as_array(const Matrix& rows, const Shape& shape, const std::string& name) {
  Row all;
  for (const Row& row : rows) all.insert(all.end(), row.begin(), row.end());
  expect(all.size() == shape.size(),
         fmt::format("The gradient by {} has {} elements and should have {}: begin with zeros_like(weights).", name,
                     all.size(), shape.size()));
  return Array(shape, std::span<const double>(all));
}

void grade_backward() {
  const Network network;
  const auto by_hand = [&](const Array&) {
    Tape tape;
    Forward forward;
    network.record(tape, &forward);
    const Weights weights{rows_of(network.W_xh.value()), rows_of(network.W_hh.value()), row_of(network.b.value()),
                          rows_of(network.W_hy.value()), row_of(network.b_y.value())};
    const Weights g = backward_through_time(weights, forward);
    return std::vector<Array>{as_array(g.W_xh, {classes, hidden}, "W_xh"), as_array(g.W_hh, {hidden, hidden}, "W_hh"),
                              as_array({g.b}, {hidden}, "b"), as_array(g.W_hy, {hidden, classes}, "W_hy"),
                              as_array({g.b_y}, {classes}, "b_y")};
  };
  const GradcheckReport report =
      gradcheck([&](Tape& tape) { return network.record(tape); }, network.parameters(), {.gradients = by_hand});
  expect_right(
      report,
      {{Cause::time_term,
        "Time is missing somewhere: what step t + 1 sends back must reach dh, and every gradient is added up over all "
        "steps."},
       {Cause::gate_term,
        "dL/dh_t has two parts, and they are added: one from y_t of the same step, one from step t + 1. One of them is "
        "lost on the way."},
       {Cause::wrong_operand,
        "An index is off by one. What was the weight multiplied with at step t of the forward pass?"},
       {Cause::derivative_factor, "Between dh and da stands tanh. Its derivative wants the result h_t."},
       {Cause::transposed, "Forward it is h W; the way back is g W^T, with the rows and columns of W changed over."},
       {Cause::unknown,
        "The usual single mistakes do not explain it. Go through from_next first: it leaves step t behind tanh and "
        "behind W_hh, so it is da, not dh, that is multiplied with W_hh^T. Has it passed through both, and is it added "
        "to dh?"}});
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "7 · BPTT, drawn: \"hello\"");
  grading.task("a word as one-hot inputs and targets", grade_lesson);
  grading.task("the loss over all steps", grade_mean_loss);
  grading.task("the adjoint of the logits", grade_adjoint);
  grading.task("backward through time", grade_backward);
  return grading.finish();
}
