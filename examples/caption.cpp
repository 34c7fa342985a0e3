#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/scores.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/symbols.hpp>
#include <unroll/layers/vocabulary.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

// One-to-many: one picture goes in, its name comes out letter by letter, until the network says that the name has ended. What it reads first,
// "<" or ">", asks for the name in English or in Korean.
namespace unroll::examples {

namespace {

constexpr std::array<std::array<const char32_t*, 10>, 2> names{
    {{U"zero", U"one", U"two", U"three", U"four", U"five", U"six", U"seven", U"eight", U"nine"},
     {U"영", U"일", U"이", U"삼", U"사", U"오", U"육", U"칠", U"팔", U"구"}}};
constexpr std::array<char32_t, 2> begin{U'<', U'>'};  // of an English name, of a Korean one
constexpr char32_t end = U'.';
constexpr std::size_t longest = 6;  // "three" and its end

Vocabulary letters() {
  std::u32string all{begin[0], begin[1], end};
  for (const auto& language : names)
    for (const std::u32string_view name : language) all += name;
  return Vocabulary(all);
}

// A picture, and the language in which it is named.
struct Item {
  DigitImage image;
  std::size_t language;

  std::u32string name() const { return names[language][static_cast<std::size_t>(image.label)]; }
};

// The picture becomes the first state of a GRU; each letter that the GRU writes is what it reads next.
class Network : public Module {
 public:
  explicit Network(Generator& generator)
      : Module("captioner"),
        alphabet(letters()),
        look({.input = 64, .output = 64, .name = "look"}, generator),
        embedding({.vocabulary = alphabet.size(), .dimension = 16}, generator),
        gru({.input = 16, .hidden = 64}, generator),
        readout({.input = 64, .output = alphabet.size(), .name = "readout"}, generator) {
    for (const Module* part : std::initializer_list<const Module*>{&look, &embedding, &gru, &readout}) add(*part);
  }

  HiddenState first_state(Tape& tape, const std::vector<Item>& items) const {
    std::vector<DigitImage> images;
    for (const Item& item : items) images.push_back(item.image);
    const Step step(tape, 0);
    return {tanh(look(tape.constant(pixels_of(images), "picture"))).named("h")};
  }

  // One letter for each item goes in; out come the logits of the next ones.
  std::pair<Var, HiddenState> operator()(Var letter, HiddenState before) const {
    const auto [h, after] = gru(letter, before);
    return {readout(h).named("y"), after};
  }

  Vocabulary alphabet;
  Linear look;
  Embedding embedding;
  GRU gru;
  Linear readout;
};

// The loss of writing the right names: at every step the right letter goes in, whatever the network said before (teacher forcing). Steps
// after the end of a name are masked.
Var loss_of(const Network& network, Tape& tape, const std::vector<Item>& items, std::size_t steps = longest) {
  std::vector<Var> xs;
  std::vector<std::int64_t> targets;
  std::vector<double> mask;
  for (std::size_t t = 0; t < steps; ++t) {
    std::u32string inputs, outputs;
    for (const Item& item : items) {
      const std::u32string text = begin[item.language] + item.name() + std::u32string(longest, end);
      inputs += text[t];
      outputs += text[t + 1];
      mask.push_back(t <= item.name().size() ? 1 : 0);
    }
    const Step step(tape, static_cast<std::int64_t>(t) + 1);
    xs.push_back(network.embedding(tape, network.alphabet.encode(inputs)).named("x"));
    const auto symbols = network.alphabet.encode(outputs);
    targets.insert(targets.end(), symbols.begin(), symbols.end());
  }
  const auto [logits, last] = over_time(network, xs, network.first_state(tape, items));
  return cross_entropy(logits, targets, mask).named("L");
}

// What the network writes about each picture: always the likeliest letter, which goes in at the next step.
std::vector<std::u32string> captions(const Network& network, const std::vector<Item>& items) {
  Tape tape;
  std::vector<std::u32string> written(items.size());
  std::u32string letters_now;
  for (const Item& item : items) letters_now += begin[item.language];
  HiddenState state = network.first_state(tape, items);
  for (std::size_t t = 0; t < longest; ++t) {
    const Var x = network.embedding(tape, network.alphabet.encode(letters_now));
    const auto [logits, next] = network(x, state);
    state = next;
    const std::vector<std::int64_t> symbols = likeliest(logits.value());
    for (std::size_t i = 0; i < items.size(); ++i)
      written[i] += letters_now[i] = network.alphabet.character(symbols[i]);
  }
  for (std::u32string& text : written) text = text.substr(0, text.find(end));
  return written;
}

std::vector<Item> both_languages(std::span<const DigitImage> images) {
  std::vector<Item> items;
  for (const DigitImage& image : images)
    for (const std::size_t language : {0, 1}) items.push_back({image, language});
  return items;
}

}  // namespace

Outcome caption(const RunOptions& options) {
  Generator generator(options.seed);
  const Network network(generator);
  const std::vector<Item> learned = both_languages(digits_to_learn()), held_out = both_languages(digits_held_out());

  const auto loss = [&](Tape& tape, std::int64_t) {
    std::vector<Item> batch;
    for (int i = 0; i < 64; ++i) batch.push_back(learned[generator.below(learned.size())]);
    return loss_of(network, tape, batch);
  };
  Adam adam(network.parameters(), {.learning_rate = 0.003});
  fit(loss, adam,
      {.updates = options.updates,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = options.callbacks});

  const std::vector<std::u32string> written = captions(network, held_out);
  std::vector<std::int64_t> right, labels;
  std::vector<Picture> shown;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    right.push_back(written[i] == held_out[i].name());
    labels.push_back(held_out[i].image.label);
    if (i < 8 && i % 2 == 0)
      shown.push_back({.pixels = held_out[i].image.pixels,
                       .caption = fmt::format("{}, {}", encode_utf8(written[i]), encode_utf8(written[i + 1]))});
  }
  return {.score_name = fmt::format(
              "part of the names of {} held-out digits, in English and Korean, that are right in every letter",
              held_out.size() / 2),
          .score = accuracy(right, std::vector<std::int64_t>(right.size(), 1)),
          .baselines = {{"always the same name", majority_accuracy(labels, labels)}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = "what it writes about held-out digits:\n" + side_by_side(shown),
          .picture = [network](Tape& tape) {
            return loss_of(network, tape, {Item{digits_held_out().front(), 0}}, 3);
          }};
}

}  // namespace unroll::examples
