#include "exercise.hpp"

#include "../grading.hpp"

#include <unroll/unroll.hpp>

using namespace unroll;
using namespace unroll::course;

namespace {

const std::vector<double> numbers{0.3, -0.8, 0.5, 0.9, -0.2, 0.7, -0.6, 0.1, 0.4, -0.9, 0.2, 0.6};

// The same network on a tape of the library.
double by_the_library(double w, const std::vector<double>& x, const OverTimeOptions& options, bool all_steps) {
  const Parameter W("w", Array::scalar(w));
  const auto cell = [&](Var in, Var h) {
    const Var next = tanh(in.tape().use(W) * h + in);
    return std::pair{next, next};
  };
  Tape tape;
  std::vector<Var> steps;
  for (const double number : x) steps.push_back(tape.constant(Array({1}, {number})));
  const auto run = over_time(cell, steps, tape.constant(Array({1}, {0})), options);
  const Var loss = sum(all_steps ? stack(run.outputs) : run.outputs.back());
  return backward(loss)[W].item();
}

double truncated_by_the_library(double w, const std::vector<double>& x, std::size_t k) {
  const auto n = static_cast<std::int64_t>(k);
  return by_the_library(w, x, {.truncate = Truncation{.k1 = n, .k2 = n}}, true);
}

// What the usual mistakes give.
double every_window_from_zero(double w, const std::vector<double>& x, std::size_t k) {
  double sum = 0;
  for (std::size_t begin = 0; begin < x.size(); begin += k)
    sum += by_the_library(w,
                          std::vector<double>(x.begin() + static_cast<std::ptrdiff_t>(begin),
                                              x.begin() + static_cast<std::ptrdiff_t>(std::min(begin + k, x.size()))),
                          {}, true);
  return sum;
}

double last_steps_of_windows(double w, const std::vector<double>& x, std::size_t k) {
  // the loss looks at the last state of each window only
  const Parameter W("w", Array::scalar(w));
  Tape tape;
  Var h = tape.constant(Array::scalar(0)), loss = tape.constant(Array::scalar(0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    h = tanh(tape.use(W) * h + x[t]);
    if ((t + 1) % k == 0 || t + 1 == x.size()) loss = loss + h, h = detach(h);
  }
  return backward(loss)[W].item();
}

}  // namespace

int main(int argc, char** argv) {
  Grading grading(argc, argv, "15 · Truncated BPTT and recomputation");

  grading.task("truncated BPTT", [] {
    const double w = 0.9;
    for (const std::size_t k : {4, 5, 12, 1}) {
      Cell cell(w);
      const double full = by_the_library(w, numbers, {}, true), wanted = truncated_by_the_library(w, numbers, k);
      std::vector<NumberMistake> mistakes{
          {every_window_from_zero(w, numbers, k),
           "This is the gradient of windows that each begin at h = 0. The state runs on from window to window; only "
           "the way back is cut."},
          {last_steps_of_windows(w, numbers, k),
           "This is the gradient of the last state of each window. The loss has a term at every step: what comes in at "
           "h_t besides what the next step sends back?"}};
      if (k < numbers.size())
        mistakes.push_back(
            {full,
             "This is the gradient of full BPTT: nothing is cut. What flows back into a window from the one after?"});
      expect_equal(truncated_gradient(cell, numbers, k), wanted, mistakes,
                   fmt::format("With k = {} and {} steps. The last window may be shorter than k.", k, numbers.size()));
      expect(cell.runs() == numbers.size(),
             fmt::format("Each step is run once going forwards: {} runs for {} steps, but it was {}.", numbers.size(),
                         numbers.size(), cell.runs()));
    }
  });

  grading.task("recomputation: the gradient", [] {
    for (const std::size_t k : {4, 5, 1}) {
      Cell cell(1.1);
      expect_equal(recomputed_gradient(cell, numbers, k), by_the_library(1.1, numbers, {}, false),
                   {{by_the_library(1.1, numbers,
                                    {.truncate = Truncation{.k1 = static_cast<std::int64_t>(k),
                                                            .k2 = static_cast<std::int64_t>(k)}},
                                    false),
                     "This is the truncated gradient. Recomputation gives the full one: hand the adjoint on from part "
                     "to part."}},
                   fmt::format("With k = {} and {} steps.", k, numbers.size()));
    }
  });

  grading.task("recomputation: the price", [] {
    Cell cell(1.1);
    recomputed_gradient(cell, numbers, 4);
    const std::size_t T = numbers.size();
    expect(cell.runs() > T,
           "No step was run a second time, so all states were kept: that is full BPTT with its full memory.");
    expect(cell.runs() <= 2 * T,
           fmt::format("{} runs for {} steps: each part is run again from the state before it, not from the beginning.",
                       cell.runs(), T));
  });

  grading.task("how many numbers", [] {
    // T = 12, k = 4: the states before steps 1, 5 and 9, and after each of the 4 steps of a part
    expect_equal(
        static_cast<double>(kept_numbers(12, 4)), 7,
        {{3, "These are the states before the parts. While a part is gone through, its own states are kept as well."},
         {12, "12 would be all of them."},
         {15, "Only one part at a time has its states kept."}},
        "T = 12 and k = 4.");
    std::size_t best = 1;
    for (std::size_t k = 1; k <= 10000; ++k)
      if (10000 % k == 0 && kept_numbers(10000, k) < kept_numbers(10000, best)) best = k;
    expect_equal(static_cast<double>(best), 100, {},
                 "For T = 10000 your count is least at another k than the square root of T.");
  });
  return grading.finish();
}
