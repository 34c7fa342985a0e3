#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/layers/symbols.hpp>

#include <algorithm>
#include <cmath>

namespace unroll {

namespace {

// Draws a position with probability softmax(logits / temperature).
std::int64_t draw(const ArrayView& logits, double temperature, Generator& generator) {
  const double largest = logits.flat(static_cast<std::size_t>(likeliest(logits)[0]));
  std::vector<double> sums;  // of the weights up to each position
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    sums.push_back(sum += std::exp((logits.flat(i) - largest) / temperature));
  const auto found = std::upper_bound(sums.begin(), sums.end(), generator.uniform() * sum);
  return std::min<std::int64_t>(found - sums.begin(), static_cast<std::int64_t>(sums.size()) - 1);
}

bool finite(const ArrayView& array) {
  for (std::size_t i = 0; i < array.size(); ++i)
    if (!std::isfinite(array.flat(i))) return false;
  return true;
}

}  // namespace

std::u32string sample(const CharacterModel& model, std::u32string_view prompt, const SampleOptions& options) {
  const std::vector<std::int64_t> seen = model.vocabulary.encode(prompt);
  if (seen.empty()) throw Error("the prompt is empty: give at least one character to begin with");
  Generator generator(options.seed);
  Tape tape;
  CharacterModel::CarriedState state = model.zero_state(1);
  std::u32string text;
  std::int64_t symbol = seen[0];
  for (std::size_t next = 1; static_cast<std::int64_t>(text.size()) < options.length; ++next) {
    tape.clear();
    const Var logits = model.logits(tape, symbol, state);
    if (next < seen.size()) {
      symbol = seen[next];
      continue;
    }
    if (!finite(logits.value())) throw Error("the model's answers are not finite numbers: it cannot write");
    symbol =
        options.temperature == 0 ? likeliest(logits.value())[0] : draw(logits.value(), options.temperature, generator);
    text += model.vocabulary.character(symbol);
  }
  return text;
}

}  // namespace unroll
