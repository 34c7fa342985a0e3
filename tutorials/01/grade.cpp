#include "../grading.hpp"
#include "exercise.hpp"

#include <unroll/core/array/array.hpp>

#include <cmath>
#include <span>

using namespace unroll;
using namespace unroll::course;

namespace {

Array array(const Numbers& numbers) {
  return Array(Shape{static_cast<std::int64_t>(numbers.size())}, std::span<const double>(numbers));
}

void expect_numbers(const std::string& what, const Numbers& got, const Numbers& wanted,
                    const std::vector<ArrayMistake>& mistakes, const std::string& otherwise) {
  expect_equal(what, array(got), array(wanted), mistakes, otherwise);
}

}  // namespace

// Expected numbers are worked out by hand, small enough to do so again.
int main(int argc, char** argv) {
  Grading grading(argc, argv, "1 · A chain of multiplications");

  grading.task("forward: the values of the chain", [] {
    const Numbers h = forward(5, {3, 2});
    expect(!h.empty(), "Nothing came back. The chain of no weights already has one value: x.");
    expect_numbers("h", h, {5, 15, 30},
                   {{array({15, 30}), "x itself is missing: it is h_1, the first value of the list."},
                    {array({5, 15, 10}), "Each link multiplies the value before it, not x: h_3 = w_2 h_2."},
                    {array({5, 8, 10}), "Links add here. A link multiplies."},
                    {array({5, 10, 30}), "The weights come in the wrong order: w_1 is the one next to x."}},
                   "forward(5, {3, 2}) goes 5, then 3 times that, then 2 times that.");
    expect_numbers("h", forward(5, {}), {5}, {}, "Without a single weight y is x.");
  });

  grading.task("by_x: the derivative by x", [] {
    expect_equal(
        by_x({3, 0.5, 4, 2}), 12,
        {{9.5, "This is the sum of the local factors. What happens to a wiggle of 1 when it is tripled, then halved?"},
         {2, "This is the last local factor alone. A wiggle at x passes through all of them."},
         {3, "This is the first local factor alone. A wiggle at x passes through all of them."}},
        "Follow a wiggle of 1 from x to y: every link multiplies it.");
    expect_equal(by_x({-1, 2}), -2, {{2, "The sign got lost: a wiggle upwards may come out downwards."}},
                 "Negative weights turn the wiggle over.");
    expect_equal(by_x({}), 1, {{0, "Without a link y is x, and moves as x moves. What is a product of no factors?"}},
                 "Without a link y is x.");
  });

  grading.task("by_weights: the derivative by every weight", [] {
    // y = 2 * 3 * 0.5 * 4 * 2 = 24: the derivative by each weight is the product of all the rest
    expect_numbers(
        "dy/dw", by_weights(2, {3, 0.5, 4, 2}), {8, 48, 6, 12},
        {{array({24, 24, 24, 24}),
          "Each of these is y: what comes back was multiplied by the link's own weight, too. By w_i "
          "the derivative is what came in times what comes back to the link's result."},
         {array({4, 24, 3, 6}),
          "Half of each: where is x, which is 2 here? It is a part of what came in to every link."},
         {array({12, 6, 48, 8}),
          "The right numbers, in reverse. The sweep runs from the last weight to the first; the "
          "result has w_1 first."},
         {array({2, 6, 3, 12}), "This is what came in. It has to be multiplied by what comes back from y."},
         {array({4, 8, 2, 1}), "This is what comes back from y. It has to be multiplied by what came in to the link."},
         {array({1, 24, 6, 12}),
          "Only the next link's factor comes back here. What comes back is the product of the "
          "factors of all later links."}},
        "The derivative by w_2: what came in to link 2, times the factors of all links behind it.");
    const Numbers with_zero = by_weights(2, {3, 0, 4});
    for (const double number : with_zero)
      expect(!std::isnan(number) && !std::isinf(number),
             "With a weight of 0 this divides by 0. y / w_i is the product of the others only where w_i is not 0: "
             "build that product from "
             "the two sides, without a division.");
    expect_numbers("dy/dw", with_zero, {0, 24, 0},
                   {{array({0, 0, 0}), "y is 0 with w_2 = 0, but it moves when w_2 moves: 2 * 3 * w_2 * 4."}},
                   "With w = {3, 0, 4}: y = 2 * 3 * w_2 * 4. How does it move with each weight?");
  });

  grading.task("by_shared_weights: one weight in several links", [] {
    expect_numbers("dy/dweights", by_shared_weights(2, {3}, {0, 0, 0, 0}), {216},
                   {{array({54}), "54 is what one use contributes. w stands in four links, and each of them moves y."},
                    {array({162}), "162 is y itself."},
                    {array({216, 216, 216, 216}), "One number for each weight, not for each link."},
                    {array({54, 54, 54, 54}),
                     "One number for each weight, not for each link: add up what belongs to the same one."}},
                   "Here y = w^4 x with w = 3 and x = 2: 4 w^3 x.");
    // y = 2 * 3 * 5 * 3 = 90, with weights a = 3 twice and b = 5: dy/da = 2 * 2 * a * b, dy/db = 2 * a * a
    expect_numbers(
        "dy/dweights", by_shared_weights(2, {3, 5, 7}, {0, 1, 0}), {60, 18, 0},
        {{array({30, 18, 0}), "The later use of a weight has overwritten the earlier one: contributions add up."},
         {array({60, 18}), "A weight that stands in no link has a derivative, too: 0."},
         {array({30, 18, 30}), "One number for each weight, not for each link. which[i] says to whom link i belongs."}},
        "Here y = 2 a b a with a = 3 and b = 5, and a third weight that is not used.");
  });

  return grading.finish();
}
