#include <unroll/examples/examples.hpp>
#include <unroll/examples/number_words.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/encoder_decoder.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/vocabulary.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

// Many-to-many, encoder-decoder: numbers written in words, English and Korean, into digits, and digits into words. The network reads the whole source,
// character by character, before it writes the first character of the answer; while it writes, attention looks back at the source.
namespace unroll::examples {

namespace {

constexpr std::int64_t numbers = 10000, held_out_numbers = 200;
constexpr std::int64_t batch_size = 64, hidden = 96, embedding = 24, most_symbols = 50;
constexpr char32_t end = U'.';  // of an answer; the decoder begins with it, too

// What is asked for stands before what is to be translated: digits, English or Korean words.
constexpr char32_t to_digits = U'#', to_english = U'<', to_korean = U'>';

struct Pair {
  std::u32string source, target;
};

struct Direction {
  const char* name;
  bool heat_map;  // whether all weights of attention are shown: there are few rows where digits are the source
  Pair (*of)(std::int64_t number);
};

std::u32string digits_of(std::int64_t number) {
  const std::string text = std::to_string(number);
  return {text.begin(), text.end()};
}

constexpr std::array directions{Direction{"English to digits", false,
                                          [](std::int64_t n) -> Pair {
                                            return {to_digits + english_number(n), digits_of(n)};
                                          }},
                                Direction{"Korean to digits", false,
                                          [](std::int64_t n) -> Pair {
                                            return {to_digits + korean_number(n), digits_of(n)};
                                          }},
                                Direction{"digits to English", true,
                                          [](std::int64_t n) -> Pair {
                                            return {to_english + digits_of(n), english_number(n)};
                                          }},
                                Direction{"digits to Korean", true, [](std::int64_t n) -> Pair {
                                            return {to_korean + digits_of(n), korean_number(n)};
                                          }}};

// All numbers, shuffled: the first are held out, in every direction, and the others are learned from. This split does not depend on the seed of the
// training, so that scores of several seeds are of the same items.
struct Split {
  std::vector<std::int64_t> held_out, learned;
};
Split split_numbers() {
  std::vector<std::int64_t> all(numbers);
  std::iota(all.begin(), all.end(), 0);
  Generator generator(2014);
  for (std::size_t i = all.size() - 1; i > 0; --i) std::swap(all[i], all[generator.below(i + 1)]);
  return {{all.begin(), all.begin() + held_out_numbers}, {all.begin() + held_out_numbers, all.end()}};
}

Vocabulary alphabet() {
  std::u32string all{end};
  for (std::int64_t n = 0; n < numbers; ++n)
    for (const Direction& direction : directions) all += direction.of(n).source + direction.of(n).target;
  return Vocabulary(all);
}

// A GRU reads, a GRU writes.
struct Translator {
  explicit Translator(Generator& generator)
      : characters(alphabet()),
        network(Encoder({.vocabulary = characters.size(), .embedding = embedding},
                        GRU({.input = embedding, .hidden = hidden, .name = "reader"}, generator), generator),
                Decoder({.vocabulary = characters.size(),
                         .embedding = embedding,
                         .start = characters.encode({&end, 1})[0],
                         .end = characters.encode({&end, 1})[0],
                         .attention = DecoderAttention{.score = AttentionScore::scaled_dot, .source = hidden}},
                        GRU({.input = embedding, .hidden = hidden, .name = "writer"}, generator), generator)) {}

  Var loss(Tape& tape, const std::vector<Pair>& pairs) const {
    std::vector<Symbols> sources, targets;
    for (const Pair& pair : pairs) {
      sources.push_back(characters.encode(pair.source));
      targets.push_back(characters.encode(pair.target + end));
    }
    return network.teach(tape, sources, targets).loss;
  }

  std::vector<Decoded> answers(const std::vector<Pair>& pairs) const {
    std::vector<Symbols> sources;
    for (const Pair& pair : pairs) sources.push_back(characters.encode(pair.source));
    return network.translate(sources, {.most_symbols = most_symbols});
  }

  std::u32string text(const Symbols& symbols) const {
    std::u32string written;
    for (const std::int64_t symbol : symbols) written += characters.character(symbol);
    return written;
  }

  Vocabulary characters;
  EncoderDecoder network;
};

std::vector<Pair> pairs_of(const Direction& direction, std::span<const std::int64_t> some) {
  std::vector<Pair> pairs;
  for (const std::int64_t number : some) pairs.push_back(direction.of(number));
  return pairs;
}

// Characters in columns: Korean ones are as wide as two others on a terminal.
std::string in_columns(const std::u32string& text) {
  std::string line;
  for (const char32_t c : text) line += encode_utf8({&c, 1}) + (c < 0x1100 ? " " : "");
  return line;
}

// An answer, and below each of its characters the one of the source that had the greatest weight when it was written.
std::string with_attention(const Pair& pair, const Decoded& decoded, const std::u32string& written) {
  std::u32string looked_at;
  for (const std::vector<double>& weights : decoded.attention) {
    const auto most = std::max_element(weights.begin(), weights.end()) - weights.begin();
    looked_at += pair.source[static_cast<std::size_t>(most)];
  }
  const std::string mark = written == pair.target ? "" : fmt::format("   wrong: {}", encode_utf8(pair.target));
  return fmt::format("  {} -> {}{}\n      writes    {}\n      looks at  {}\n", encode_utf8(pair.source),
                     encode_utf8(written), mark, in_columns(decoded.ended ? written + end : written),
                     in_columns(looked_at));
}

// All weights as shades: a row for each character of the source, a column for each of the answer.
std::string heat_map(const Pair& pair, const Decoded& decoded, const std::u32string& written) {
  constexpr std::array shades{"  ", "░░", "▒▒", "▓▓", "██"};
  std::string text = fmt::format("           {}\n", in_columns(written + end));
  for (std::size_t j = 0; j < pair.source.size(); ++j) {
    text += fmt::format("      {:>4} ", encode_utf8(pair.source.substr(j, 1)));
    for (const std::vector<double>& weights : decoded.attention)
      text += shades[static_cast<std::size_t>(std::lround(weights[j] * 4))];
    text += "\n";
  }
  return text;
}

std::string best_answers(const Translator& translator, const Pair& pair) {
  std::string text;
  for (const Decoded& answer : translator.network.translate(translator.characters.encode(pair.source),
                                                            {.width = 3, .n_best = 3, .most_symbols = most_symbols}))
    text += fmt::format("  {} -> {}   {:.2g}\n", encode_utf8(pair.source), encode_utf8(translator.text(answer.symbols)),
                        std::exp(answer.log_probability));
  return text;
}

}  // namespace

Outcome translate(const RunOptions& options) {
  Generator generator(options.seed);
  const Translator translator(generator);
  const Split split = split_numbers();

  // One direction for each batch, in turn, so that sources and targets of a batch are of similar lengths.
  const auto loss = [&](Tape& tape, std::int64_t update) {
    std::vector<std::int64_t> batch;
    while (std::ssize(batch) < batch_size) batch.push_back(split.learned[generator.below(split.learned.size())]);
    return translator.loss(tape, pairs_of(directions[static_cast<std::size_t>(update) % directions.size()], batch));
  };
  Adam adam(translator.network.parameters(), {.learning_rate = 0.003});
  fit(loss, adam,
      {.updates = options.updates,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = options.callbacks});

  std::string shown =
                  "what it writes (# into digits, < into English, > into Korean), and the character of the source that "
                  "has most of the\n"
                  "attention just then:\n\n",
              table;
  std::set<std::u32string> learned_answers;
  double right = 0, known = 0;
  for (const Direction& direction : directions) {
    for (const Pair& pair : pairs_of(direction, split.learned)) learned_answers.insert(pair.target);
    const std::vector<Pair> pairs = pairs_of(direction, split.held_out);
    const std::vector<Decoded> answers = translator.answers(pairs);
    double right_here = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const std::u32string written = translator.text(answers[i].symbols);
      right_here += written == pairs[i].target;
      known += static_cast<double>(learned_answers.count(pairs[i].target));
      if (i < 2) shown += with_attention(pairs[i], answers[i], written);
      if (i == 1 && direction.heat_map) shown += heat_map(pairs[i], answers[i], written);
    }
    table += fmt::format("  {:<18} {:.3f}\n", direction.name, right_here / static_cast<double>(pairs.size()));
    right += right_here;
  }
  shown += "\nthe three best answers of a beam of 3, and their probabilities:\n\n" +
           best_answers(translator, directions[2].of(split.held_out[2]));
  const auto all = static_cast<double>(directions.size() * split.held_out.size());
  return {
      .score_name = fmt::format("translations right, character for character, of {} held-out numbers in {} directions",
                                split.held_out.size(), directions.size()),
      .score = right / all,
      .baselines = {{"the best of all answers that were learned", known / all}},
      .parameters = static_cast<std::int64_t>(translator.network.parameter_count()),
      .shown = shown + "\n" + table,
      .picture = [translator](Tape& tape) { return translator.loss(tape, {directions[1].of(23)}); }};
}

}  // namespace unroll::examples
