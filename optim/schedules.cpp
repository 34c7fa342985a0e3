#include <unroll/optim/schedules.hpp>

#include <unroll/core/array/error.hpp>

#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

namespace unroll::schedules {

Schedule constant() {
  return [](double) { return 1.0; };
}

Schedule linear() {
  return [](double x) { return 1 - x; };
}

Schedule cosine() {
  return [](double x) { return (1 + std::cos(std::numbers::pi * x)) / 2; };
}

Schedule step(std::vector<double> at, double factor) {
  for (double fraction : at)
    if (!(fraction >= 0 && fraction <= 1))
      throw Error(fmt::format("schedules::step: fraction {}, expected 0 to 1", fraction));
  if (!(factor >= 0)) throw Error(fmt::format("schedules::step: factor {}, expected at least 0", factor));
  return [at = std::move(at), factor](double x) {
    double product = 1;
    for (double fraction : at)
      if (x >= fraction) product *= factor;
    return product;
  };
}

Schedule warm_up(double share, Schedule then) {
  if (!(share > 0 && share < 1))
    throw Error(fmt::format("schedules::warm_up: share {}, expected more than 0 and less than 1", share));
  return [share, then = std::move(then)](double x) { return x < share ? x / share : then((x - share) / (1 - share)); };
}

}  // namespace unroll::schedules
