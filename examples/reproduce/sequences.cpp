#include <unroll/examples/reproduce/sequences.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace unroll::reproduce {

namespace {

std::size_t pick(std::size_t low, std::size_t high, Generator& generator) {  // both included
  return low + static_cast<std::size_t>(generator.below(high - low + 1));
}

}  // namespace

Batch adding_problem(std::int64_t time, std::int64_t batch, Generator& generator) {
  const auto T = static_cast<std::size_t>(time), B = static_cast<std::size_t>(batch);
  Batch result{Array({time, batch, 2}), Array({batch, 1})};
  const std::span<float> x = result.x.span<float>(), target = result.target.span<float>();
  for (std::size_t b = 0; b < B; ++b) {
    for (std::size_t t = 0; t < T; ++t) x[(t * B + b) * 2] = static_cast<float>(generator.uniform());
    const std::size_t first = pick(0, T / 2 - 1, generator), second = pick(T / 2, T - 1, generator);
    for (const std::size_t t : {first, second}) {
      x[(t * B + b) * 2 + 1] = 1;
      target[b] += x[(t * B + b) * 2];
    }
  }
  return result;
}

Batch adding_problem_1997(std::int64_t T, Generator& generator) {
  const auto shortest = static_cast<std::size_t>(T);
  const std::size_t length = pick(shortest, shortest + shortest / 10, generator);
  Batch result{Array({static_cast<std::int64_t>(length), 1, 2}), Array({1, 1})};
  const std::span<float> x = result.x.span<float>();
  for (std::size_t t = 0; t < length; ++t) x[2 * t] = static_cast<float>(generator.uniform(-1, 1));
  const std::size_t first = pick(0, 9, generator);
  std::size_t second = pick(0, shortest / 2 - 2, generator);
  if (second >= first) ++second;  // one of the others
  x[1] = x[2 * (length - 1) + 1] = -1;
  x[2 * first + 1] = x[2 * second + 1] = 1;
  if (first == 0) x[0] = 0;
  if (second == 0) x[0] = 0;
  result.target.set_flat(0, 0.5 + (static_cast<double>(x[2 * first]) + static_cast<double>(x[2 * second])) / 4);
  return result;
}

Batch temporal_order(std::int64_t places, Generator& generator) {
  using Range = std::pair<std::size_t, std::size_t>;
  static constexpr std::array<Range, 2> two{{{10, 20}, {50, 60}}};
  static constexpr std::array<Range, 3> three{{{10, 20}, {33, 43}, {66, 76}}};
  const std::span<const Range> ranges = places == 2 ? std::span<const Range>(two) : std::span<const Range>(three);
  enum Symbol : std::size_t { E, B, a, b, c, d, X, Y };

  std::vector<std::size_t> symbols(pick(100, 110, generator));
  for (std::size_t& symbol : symbols) symbol = pick(a, d, generator);
  symbols.front() = E;
  symbols.back() = B;
  std::size_t order = 0;
  for (const auto& [low, high] : ranges) {
    const std::size_t which = pick(0, 1, generator);
    symbols[pick(low, high, generator) - 1] = which == 0 ? X : Y;
    order = 2 * order + which;
  }
  Batch result{Array({static_cast<std::int64_t>(symbols.size()), 1, 8}), Array({1, std::int64_t{1} << ranges.size()})};
  for (std::size_t t = 0; t < symbols.size(); ++t) result.x.set_flat(t * 8 + symbols[t], 1);
  result.target.set_flat(order, 1);
  return result;
}

Batch recall(std::int64_t lag, std::int64_t batch, Generator& generator) {
  const auto T = static_cast<std::size_t>(lag + 1), B = static_cast<std::size_t>(batch);
  Batch result{Array({lag + 1, batch, 2}), Array({batch, 1})};
  const std::span<float> x = result.x.span<float>(), target = result.target.span<float>();
  for (std::size_t b = 0; b < B; ++b) {
    target[b] = x[b * 2] = generator.below(2) == 0 ? -1.0F : 1.0F;
    for (std::size_t t = 0; t < T; ++t) x[(t * B + b) * 2 + 1] = static_cast<float>(generator.uniform(-1, 1));
  }
  return result;
}

CopySequences copy_task(std::int64_t T, std::int64_t batch, Generator& generator) {
  constexpr std::size_t count = 10;
  constexpr std::int64_t blank = 8, marker = 9;
  const auto waiting = static_cast<std::size_t>(T), B = static_cast<std::size_t>(batch);
  const std::size_t steps = waiting + 2 * count;
  CopySequences result{std::vector(steps * B, blank), std::vector(steps * B, blank)};
  for (std::size_t b = 0; b < B; ++b) {
    for (std::size_t k = 0; k < count; ++k) {
      const auto symbol = static_cast<std::int64_t>(generator.below(8));
      result.symbols[k * B + b] = symbol;
      result.targets[(waiting + count + k) * B + b] = symbol;
    }
    result.symbols[(waiting + count - 1) * B + b] = marker;
  }
  return result;
}

}  // namespace unroll::reproduce
