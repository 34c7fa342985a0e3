#include "exercise.hpp"

#include "../grading.hpp"

#include <string>

using namespace unroll;
using namespace unroll::course;

namespace {

using Rule = std::vector<Var> (*)(std::span<const Var>, std::span<const Var>, std::span<const Var>);

struct Named {
  const char* name;
  Shape shape;
};

// Checks a part of a cell, and the rule that the reader mended, over three steps, by random inputs of these names. Input number `state` is the state: in the next step it is the last result.
void check(const Part& part, Rule rule, const std::vector<Named>& inputs, std::size_t state,
           const std::vector<CauseMistake>& hints) {
  Generator generator(13);
  std::vector<Parameter> leaves;
  for (const auto& [name, shape] : inputs) leaves.emplace_back(name, normal(shape, 0.7, generator, DType::f64));
  const auto unrolled = [&](Tape& tape) {
    std::vector<Var> in, outputs;
    for (const Parameter& leaf : leaves) in.push_back(tape.use(leaf));
    for (std::int64_t t = 1; t <= 3; ++t) {
      const Step step(tape, t);
      const std::vector<Var> out = custom_vjp(part, rule, in);
      in[state] = out.back();
      outputs.push_back(out.front());
    }
    outputs.push_back(in[state]);
    return stack(outputs);
  };
  expect_right(gradcheck(unrolled, leaves), hints);
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "13 · The bug zoo");

  grading.task("where to look", [] {
    const auto is = [](Clues wrong, Where wanted, const char* hint) { expect(where_to_look(wrong) == wanted, hint); };
    is({false, false, false}, Where::nowhere,
       "Nothing is wrong by any of the three checks: then there is nowhere to look.");
    is({true, true, true}, Where::within_the_step,
       "Wrong for one step of one sequence already: there is no second step and no second sequence that could be to "
       "blame.");
    is({false, true, false}, Where::between_the_steps,
       "Right for one step, wrong for two: what the second step hands back is wrong.");
    is({false, false, true}, Where::over_the_batch,
       "Right for one sequence, wrong for two of one step each: the sum over the batch.");
    is({false, true, true}, Where::over_the_batch,
       "Wrong for two sequences of one step each: with one step there is nothing between the steps, so it is the batch "
       "(whatever else there is).");
  });

  grading.task("the RNN", [] {
    check(
        [](std::span<const Var> in) {
          return std::vector<Var>{tanh(affine(in[0], in[2], in[1], in[3], in[4])).named("h")};
        },
        rnn_backward, {{"x", {2, 2}}, {"h0", {2, 3}}, {"W", {2, 3}}, {"U", {3, 3}}, {"b", {3}}}, 1,
        {{Cause::wrong_operand,
          "One product is with the wrong value. Write the time step to every letter: which h went through U, "
          "the one before the step or the one after?"},
         {Cause::transposed,
          "A matrix is taken the wrong way round. Which one is square, so that the shapes do not complain?"},
         {Cause::batch_term, "Every sequence reads the same bias."},
         {Cause::time_term, "Something must go back to the step before."},
         {Cause::derivative_factor, "tanh' is 1 - h^2, with what came out."}});
  });

  grading.task("the LSTM's state", [] {
    check(
        [](std::span<const Var> in) {
          const Var kept = in[1] * in[4], admitted = in[0] * in[2];
          const Var c = (kept + admitted).named("c");
          return std::vector<Var>{(in[3] * tanh(c)).named("h"), c};
        },
        lstm_backward, {{"i", {2, 3}}, {"f", {2, 3}}, {"g", {2, 3}}, {"o", {2, 3}}, {"c0", {2, 3}}}, 4,
        {{Cause::time_term,
          "c_t is read twice: by h_t of its own step, and by the next step. Both send something back. What becomes of "
          "the two?"},
         {Cause::gate_term,
          "c_t is read twice: by h_t of its own step, and by the next step. Both send something back. What becomes of "
          "the two?"},
         {Cause::derivative_factor,
          "A factor of the step back is missing: dc_t/dc_(t-1) is f, and tanh' is 1 - tanh(c)^2."},
         {Cause::wrong_operand, "Which value was each gate multiplied with on the way forward?"}});
  });

  grading.task("the GRU's mix", [] {
    check(
        [](std::span<const Var> in) {
          const Var kept = in[0] * in[2], admitted = (1 - in[0]) * in[1];
          return std::vector<Var>{(kept + admitted).named("h")};
        },
        gru_backward, {{"z", {2, 3}}, {"n", {2, 3}}, {"h0", {2, 3}}}, 2,
        {{Cause::sign, "If z grows, more of h_(t-1) comes through and less of n. Which of the two stands with a plus?"},
         {Cause::wrong_operand, "z and 1 - z have changed places: which one belongs to h_(t-1)?"}});
  });
  return grading.finish();
}
