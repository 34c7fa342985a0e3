#include "exercise.hpp"

#include "../grading.hpp"

#include <unroll/core/grad/backward.hpp>

#include <cmath>
#include <limits>

#include <fmt/format.h>

using namespace unroll;
using namespace unroll::course;

namespace {

using Numbers = std::vector<std::int64_t>;

void expect_mask(const std::string& shape, int inputs, int answers, const std::vector<int>& wanted,
                 const std::vector<std::pair<std::vector<int>, std::string>>& mistakes) {
  const std::vector<int> got = loss_mask(shape, inputs, answers);
  if (got == wanted) return;
  for (const auto& [mask, hint] : mistakes) expect(got != mask, shape + ": " + hint);
  expect(got.size() == wanted.size(), fmt::format("{} with {} read and {} asked for has {} steps; your mask has {}.",
                                                  shape, inputs, answers, wanted.size(), got.size()));
  expect(false,
         fmt::format("{} with {} read and {} asked for: your mask is {}. Look at the picture of this shape, and at "
                     "which steps it has an L.",
                     shape, inputs, answers, fmt::join(got, " ")));
}

// (time, batch, feature) with another number in every place
Array numbered(std::int64_t steps, std::int64_t batch) {
  Array xs({steps, batch, 2}, DType::f64);
  for (std::size_t i = 0; i < xs.size(); ++i) xs.set_flat(i, static_cast<double>(i));
  return xs;
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "14 · Five task shapes");

  grading.task("which steps count", [] {
    expect_mask("one-to-one", 1, 1, {1}, {});
    expect_mask("synchronised", 3, 3, {1, 1, 1},
                {{{0, 0, 1}, "this is the mask of many-to-one. Here every step is asked."}});
    expect_mask("many-to-one", 4, 1, {0, 0, 0, 1},
                {{{1, 1, 1, 1}, "only one answer is asked for, and it may need all of the input."},
                 {{1, 0, 0, 0}, "at step 1 most of the input has not been read yet."},
                 {{0, 0, 0, 0, 1}, "the answer is asked for at the step of the last x, not one later."}});
    expect_mask("one-to-many", 1, 3, {1, 1, 1},
                {{{0, 1, 1, 1}, "the first answer is asked for at step 1 already, where x is read."}});
    expect_mask("encoder-decoder", 3, 2, {0, 0, 0, 1, 1},
                {{{0, 0, 1, 1}, "off by one: a decoder begins at the step after the last x."},
                 {{1, 1, 1, 1, 1}, "while the encoder reads, nothing is asked."},
                 {{0, 0, 0, 0, 1}, "a decoder is asked at each of its steps."}});
  });

  grading.task("teacher forcing", [] {
    const Numbers targets{7, 3, 5, 2}, got = decoder_inputs(targets, 9);
    expect(got != targets,
           "At each step the decoder reads the very answer that it is asked for. It will learn to copy, and know "
           "nothing when nobody tells it.");
    expect(got != Numbers{3, 5, 2, 9} && got != Numbers{3, 5, 2},
           "This is shifted the wrong way: at step 1 the decoder reads the answer of step 2. It must read what was "
           "said before.");
    expect(got != Numbers{9, 7, 3, 5, 2},
           "One too many: behind the last answer nothing is asked any more, so nobody reads it.");
    expect(got != Numbers{7, 3, 5}, "At its first step the decoder has no answer before it. What does it read there?");
    expect(got == Numbers{9, 7, 3, 5},
           fmt::format("For the targets 7 3 5 2 and go = 9 you give {}. As many inputs as targets, each the target of "
                       "the step before.",
                       fmt::join(got, " ")));
    expect(decoder_inputs({4}, 9) == Numbers{9}, "With a single target the decoder has one step, and reads go.");
  });

  grading.task("the last own step", [] {
    Tape tape;
    const Var outputs = tape.input(numbered(5, 3), "outputs");
    const auto at = [](std::int64_t a, std::int64_t b, std::int64_t c) {  // steps from 0
      const auto row = [](std::int64_t t, std::int64_t i) { return static_cast<double>((t * 3 + i) * 2); };
      return Array({3, 2}, {row(a, 0), row(a, 0) + 1, row(b, 1), row(b, 1) + 1, row(c, 2), row(c, 2) + 1});
    };
    const Var got = last_own_outputs(outputs, {2, 4, 1});
    expect_equal("the outputs", got.value(), at(1, 3, 0),
                 {{at(4, 4, 4),
                   "These are the outputs at the last step of the array, which are padding here. Each "
                   "sequence has a last step of its own."},
                  {at(2, 4, 1), "Each row is one step late: a sequence of 2 steps has them at positions 0 and 1."},
                  {at(0, 0, 0), "These are the first steps."}},
                 "Lengths 2, 4 and 1, five steps in the array.");
    const Gradients g = backward(sum(got));
    double reached = 0;
    for (std::size_t i = 0; i < g[outputs].size(); ++i) reached += g[outputs].flat(i) != 0;
    expect_equal(reached, 6, {}, "A gradient should reach the own last steps (6 numbers here), and nothing else.");
    expect_equal("the outputs", last_own_outputs(outputs, {5, 5, 5}).value(), at(4, 4, 4), {},
                 "With sequences that run to the end, this is the last step of the array.");
  });

  grading.task("a mean without padding", [] {
    // two sequences, of 3 steps and of 1: the mean of 1, 2, 3 and 6
    expect_equal(mean_loss({{1, 6}, {2, 0}, {3, 0}}, {3, 1}), 3,
                 {{2, "The sum is divided by all steps of the array. Padding must not count there, either."},
                  {4,
                   "Here each sequence has the same weight, however short it is. Asked for is the mean over all steps "
                   "that are no padding."}},
                 "Lengths 3 and 1, losses 1 2 3 and 6: the mean of four numbers.");
    expect_equal(mean_loss({{1, 6}, {2, 50}, {3, 70}}, {3, 1}), 3, {},
                 "The losses at padding are 50 and 70 now, and the result changed: they are still counted.");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double got = mean_loss({{1, 6}, {2, nan}, {3, nan}}, {3, 1});
    expect(!std::isnan(got),
           "A NaN at padding spoils the mean: 0 times NaN is NaN. Leave padding out; do not multiply it "
           "by 0.");
    expect_equal(got, 3, {}, "With NaN at padding.");
  });
  return grading.finish();
}
