#include <unroll/layers/recompute.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

// Each repetition is a level of recursion.
constexpr std::int64_t most_repetitions = 250;

// C(s + r, s): how many steps s stored states and r repetitions reach. Stops growing far above any number of steps.
std::int64_t reach(std::int64_t s, std::int64_t r) {
  if (r < 0) return 0;
  constexpr double enough = 1e15;
  double product = 1;
  for (std::int64_t i = 1; i <= std::min(s, r); ++i) {
    product = product * static_cast<double>(std::max(s, r) + i) / static_cast<double>(i);
    if (product > enough) return static_cast<std::int64_t>(enough);
  }
  return std::llround(product);
}

std::int64_t repetitions(std::int64_t steps, std::int64_t states) {
  std::int64_t r = 0;
  while (reach(states, r) < steps) ++r;
  return r;
}

std::int64_t square_root_of(std::int64_t steps) {
  auto k = static_cast<std::int64_t>(std::sqrt(static_cast<double>(steps)));
  while (k * k < steps) ++k;
  return std::max<std::int64_t>(k, 1);
}

}  // namespace

Recompute Recompute::every(std::int64_t k) {
  if (k < 1) throw Error(fmt::format("recompute: every {} steps: expected at least 1", k));
  return {Kind::every, k};
}

Recompute Recompute::revolve(std::int64_t states) {
  if (states < 1) throw Error(fmt::format("recompute: {} stored states: expected at least 1, the initial one", states));
  return {Kind::revolve, states};
}

std::int64_t revolve_steps(std::int64_t steps, std::int64_t states) {
  if (steps < 1 || states < 1)
    throw Error(fmt::format("revolve_steps: {} steps with {} states: expected at least 1 of each", steps, states));
  const std::int64_t r = repetitions(steps, states);
  return r * steps - reach(states + 1, r - 1);
}

std::int64_t Recompute::recomputed_steps(std::int64_t steps) const {
  if (steps == 0) return 0;
  if (kind_ == Kind::revolve) return revolve_steps(steps, number_);
  if (kind_ == Kind::none) return 0;
  const std::int64_t k = kind_ == Kind::every ? number_ : square_root_of(steps);
  return (steps - 1) / k * k;  // all but the last part
}

Recompute::Division Recompute::divide(std::int64_t steps) const {
  const Recompute once(Kind::none, 0);
  switch (kind_) {
    case Kind::none: return {};
    case Kind::square_root: return every(square_root_of(steps)).divide(steps);
    case Kind::every:
      if (steps <= number_) return {};
      return {number_, {once, *this}};
    case Kind::revolve: break;
  }
  // Any number is best between what r - 2 repetitions reach and what r - 1 do, as long as the rest, with one state less, needs at most r.
  const std::int64_t r = repetitions(steps, number_);
  if (r > most_repetitions)
    throw Error(fmt::format(
        "recompute: with {} stored states for {} steps, some would be computed {} times again: give it more", number_,
        steps, r));
  const std::int64_t rest = std::max(steps - reach(number_, r - 1), reach(number_ - 1, r - 1));
  return {steps - rest, {*this, Recompute(Kind::revolve, number_ - 1)}};
}

namespace detail {

namespace {

// The steps of one part, run one by one for their numbers only: never more than one step is recorded.
ForgottenPart forget_steps(const RecurrenceStep& step, std::span<const Var> xs, std::span<const Var> state,
                           std::size_t first) {
  Tape& tape = xs[0].tape();
  ForgottenPart part;
  std::vector<Array> numbers;
  std::vector<std::string> names;
  for (const Var& v : state) names.push_back(tape.name(v.id()));
  for (std::size_t t = 0; t < xs.size(); ++t) {
    ForgottenPart one = run_and_forget(tape, [&] {
      std::vector<Var> before(state.begin(), state.end());
      for (std::size_t i = 0; t > 0 && i < before.size(); ++i) before[i] = tape.constant(numbers[i], names[i]);
      return step(first + t, xs[t], before);
    });
    const std::size_t output = part.results.size();
    const bool last = t + 1 == xs.size();
    part.position.push_back(output);  // the first of what a step gives
    numbers.clear();
    for (std::size_t i = 1; i < one.position.size(); ++i) numbers.push_back(one.results[one.position[i]]);
    const std::size_t count = last ? one.results.size() : 1;  // of the state, the last one only is a result
    for (std::size_t i = 0; i < count; ++i) {
      part.results.push_back(one.results[i]);
      part.names.push_back(one.names[i]);
      part.places.push_back(one.places[i]);
    }
    for (std::size_t i = 1; last && i < one.position.size(); ++i) part.position.push_back(output + one.position[i]);
    part.captured.insert(part.captured.end(), one.captured.begin(), one.captured.end());
    for (const Parameter& p : one.parameters)
      if (std::find(part.parameters.begin(), part.parameters.end(), p) == part.parameters.end())
        part.parameters.push_back(p);
  }
  std::sort(part.captured.begin(), part.captured.end(), [](const Var& a, const Var& b) { return a.id() < b.id(); });
  part.captured.erase(std::unique(part.captured.begin(), part.captured.end()), part.captured.end());
  return part;
}

}  // namespace

Recurrence recompute(const RecurrenceStep& step, std::span<const Var> xs, std::vector<Var> state, std::size_t first,
                     const Recompute& schedule, const std::vector<Generator*>& generators) {
  Recurrence run{{}, std::move(state)};
  Recompute rest = schedule;
  while (!xs.empty()) {
    const Recompute::Division division = rest.divide(static_cast<std::int64_t>(xs.size()));
    if (division.first == 0) break;
    const auto length = static_cast<std::size_t>(division.first);
    std::vector<Var> inputs(xs.begin(), xs.begin() + division.first);
    inputs.insert(inputs.end(), run.state.begin(), run.state.end());
    const Part again = [=, inner = division.schedules[0]](std::span<const Var> in) {
      const std::span<const Var> before = in.subspan(length);
      Recurrence part = recompute(step, in.first(length), {before.begin(), before.end()}, first, inner, generators);
      part.outputs.insert(part.outputs.end(), part.state.begin(), part.state.end());
      return part.outputs;
    };
    const GeneratorStates drawn = states_of(generators);
    const ForgottenPart forgotten = forget_steps(step, xs.first(length), run.state, first);
    const std::vector<Var> results = record_checkpoint(xs[0].tape(), again, inputs, forgotten, drawn);
    run.outputs.insert(run.outputs.end(), results.begin(), results.begin() + division.first);
    run.state.assign(results.begin() + division.first, results.end());
    xs = xs.subspan(length);
    first += length;
    rest = division.schedules[1];
  }
  for (const Var& x : xs) {
    std::vector<Var> result = step(first++, x, run.state);
    run.outputs.push_back(result[0]);
    run.state.assign(result.begin() + 1, result.end());
  }
  return run;
}

}  // namespace detail

}  // namespace unroll
