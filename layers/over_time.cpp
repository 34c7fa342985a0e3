#include <unroll/layers/over_time.hpp>

#include <fmt/format.h>

namespace unroll {

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
