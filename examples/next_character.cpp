#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/optim/optimizers.hpp>

#include <cmath>
#include <map>

#include <fmt/format.h>

// Many-to-many, synchronised: at every step a character goes in and the next one is asked for. `unroll train` does the same with any text.
namespace unroll::examples {

namespace {

// Bits per character on a text of the best answer that looks at nothing (order 0: how frequent a character is) or at the last character
// (order 1), counted in the text to learn from; one is added to each count, so that nothing is impossible.
double counted_bits(const std::vector<std::int64_t>& learned, const std::vector<std::int64_t>& held_out,
                    std::int64_t vocabulary, bool after_one) {
  const auto context = [&](const std::vector<std::int64_t>& text, std::size_t i) {
    return after_one ? text[i - 1] : 0;
  };
  std::map<std::pair<std::int64_t, std::int64_t>, double> counts;
  std::map<std::int64_t, double> totals;
  for (std::size_t i = 1; i < learned.size(); ++i) {
    ++counts[{context(learned, i), learned[i]}];
    ++totals[context(learned, i)];
  }
  double bits = 0;
  for (std::size_t i = 1; i < held_out.size(); ++i)
    bits -= std::log2((counts[{context(held_out, i), held_out[i]}] + 1) /
                      (totals[context(held_out, i)] + static_cast<double>(vocabulary)));
  return bits / static_cast<double>(held_out.size() - 1);
}

}  // namespace

Outcome next_character(const RunOptions& options) {
  const std::u32string text = decode_utf8(data_text("night-train.txt"));
  const Vocabulary vocabulary(text);
  const std::vector<std::int64_t> symbols = vocabulary.encode(text);
  const auto cut = symbols.begin() + std::ssize(symbols) * 19 / 20;  // the last twentieth is held out
  const std::vector<std::int64_t> learned(symbols.begin(), cut), held_out(cut, symbols.end());

  Generator generator(options.seed);
  const CharacterModel model({.cell = CellKind::lstm, .embedding = 24, .hidden = 96}, vocabulary, generator);

  // 16 places of the text are read side by side, 48 characters at a time. The state runs on from window to window, gradients do not
  // (truncated BPTT).
  const TextStreams streams(learned, 16, 48);
  CharacterModel::CarriedState state;
  const auto loss = [&](Tape& tape, std::int64_t update) {
    const std::int64_t window = update % streams.windows();
    if (window == 0) state = model.zero_state(streams.streams());
    return model.loss(tape, streams.window(window), state);
  };
  Adam adam(model.parameters(), {.learning_rate = 0.01});
  fit(loss, adam,
      {.updates = options.updates,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = options.callbacks});

  const std::u32string prompt = U"The train ";
  const std::u32string written = sample(model, prompt, {.length = 240, .temperature = 0.5, .seed = options.seed});
  return {
      .score_name = fmt::format("bits per character on the last {} characters of the story, held out", held_out.size()),
      .score = bits_per_character(model, TextStreams(held_out, 1, 48)),
      .higher_is_better = false,
      .baselines = {{"counts of pairs of characters", counted_bits(learned, held_out, vocabulary.size(), true)},
                    {"counts of characters", counted_bits(learned, held_out, vocabulary.size(), false)}},
      .parameters = static_cast<std::int64_t>(model.parameter_count()),
      .shown = fmt::format("it writes, after \"The train \":\n\n{}\n", encode_utf8(prompt + written)),
      .picture = [model, symbols](Tape& tape) {
        CharacterModel::CarriedState zero = model.zero_state(1);
        return model.loss(tape, TextStreams({symbols.begin(), symbols.begin() + 4}, 1, 3).window(0), zero);
      }};
}

}  // namespace unroll::examples
