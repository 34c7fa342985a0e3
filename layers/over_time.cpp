#include <unroll/layers/over_time.hpp>

#include <fmt/format.h>

namespace unroll {

void detail::fail_truncate_and_recompute() {
  throw Error(
      "over_time: truncate and recompute were given, expected one of them: a truncated gradient needs no "
      "recomputation");
}

void detail::fail_to_keep_cell() {
  throw Error("over_time: recompute keeps a copy of the cell on the tape, and this cell cannot be copied");
}

std::vector<Var> time_steps(Var xs) {
  const Shape shape = xs.shape();
  if (shape.rank() < 2 || shape[0] == 0)
    throw ShapeError(fmt::format(
        "over_time: the input has shape {}, expected (time, batch, feature) with at least one step", to_string(shape)));
  std::vector<Var> steps;
  for (std::int64_t t = 1; t <= shape[0]; ++t) {
    const Step step(xs.tape(), t);
    steps.push_back(select(xs, 0, t - 1).named("x"));
  }
  return steps;
}

}  // namespace unroll
