#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/scores.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/symbols.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

// Many-to-one: a sentence goes in, and at its end comes one answer, whether its writer is pleased. Sentences differ in length: the shorter
// ones of a batch are padded, and their state stays as it was at their own last step.
namespace unroll::examples {

namespace {

// Numbers for the pairs of neighbouring characters, of English letters or Korean syllables; 0 stands for every pair that was never learned.
class Pairs {
 public:
  explicit Pairs(std::span<const LabelledSentence> sentences) {
    for (const LabelledSentence& sentence : sentences)
      for (const std::u32string& pair : split(sentence)) numbers_.try_emplace(pair, size());
  }

  std::int64_t size() const { return std::ssize(numbers_) + 1; }

  std::vector<std::int64_t> operator()(const LabelledSentence& sentence) const {
    std::vector<std::int64_t> result;
    for (const std::u32string& pair : split(sentence)) {
      const auto found = numbers_.find(pair);
      result.push_back(found == numbers_.end() ? 0 : found->second);
    }
    return result;
  }

 private:
  static std::vector<std::u32string> split(const LabelledSentence& sentence) {
    std::u32string text = U" ";
    for (const char32_t c : decode_utf8(sentence.text)) text += c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c;
    std::vector<std::u32string> pairs;
    for (std::size_t i = 1; i < text.size(); ++i) pairs.push_back(text.substr(i - 1, 2));
    return pairs;
  }

  std::map<std::u32string, std::int64_t> numbers_;
};

// Sentences side by side.
struct Batch {
  Batch(std::span<const LabelledSentence> sentences, const Pairs& pairs) {
    for (const LabelledSentence& sentence : sentences) {
      rows.push_back(pairs(sentence));
      lengths.push_back(std::ssize(rows.back()));
      labels.push_back(sentence.pleased ? 1 : 0);
    }
  }

  std::vector<std::vector<std::int64_t>> rows;
  std::vector<std::int64_t> lengths, labels;
};

class Network : public Module {
 public:
  Network(std::int64_t pairs, Generator& generator)
      : Module("reader"),
        embedding({.vocabulary = pairs, .dimension = 24}, generator),
        gru({.input = 24, .hidden = 48}, generator),
        readout({.input = 48, .output = 2, .name = "readout"}, generator) {
    for (const Module* part : std::initializer_list<const Module*>{&embedding, &gru, &readout}) add(*part);
  }

  // Two logits for each sentence, "not pleased" and "pleased". With a rate above 0 some of what is seen is dropped, for training.
  Var operator()(Tape& tape, const Batch& batch, double rate, Generator& generator) const {
    std::vector<Var> xs;
    const std::int64_t steps = *std::max_element(batch.lengths.begin(), batch.lengths.end());
    for (std::int64_t t = 1; t <= steps; ++t) {
      std::vector<std::int64_t> now;
      for (const auto& row : batch.rows) now.push_back(t <= std::ssize(row) ? row[static_cast<std::size_t>(t) - 1] : 0);
      const Step step(tape, t);
      xs.push_back(dropout(embedding(tape, now), rate, generator).named("x"));
    }
    const auto first = gru.zero_state(tape, std::ssize(batch.rows));
    const auto sequence = over_time(gru, xs, first, {.lengths = batch.lengths});
    return readout(dropout(sequence.state.h, rate, generator)).named("y");
  }

  Embedding embedding;
  GRU gru;
  Linear readout;
};

// What counting does: every pair of characters pulls towards the label with which it was seen more often (naive Bayes).
double accuracy_of_counting(const Batch& learned, const Batch& held_out) {
  std::map<std::int64_t, std::array<double, 2>> counts;
  for (std::size_t i = 0; i < learned.rows.size(); ++i)
    for (const std::int64_t pair : learned.rows[i]) ++counts[pair][static_cast<std::size_t>(learned.labels[i])];
  std::vector<std::int64_t> answers;
  for (const auto& row : held_out.rows) {
    double pull = 0;
    for (const std::int64_t pair : row) pull += std::log((counts[pair][1] + 1) / (counts[pair][0] + 1));
    answers.push_back(pull > 0);
  }
  return accuracy(answers, held_out.labels);
}

}  // namespace

Outcome sentiment(const RunOptions& options) {
  const std::vector<LabelledSentence> learned = sentences_to_learn(), held_out = sentences_held_out();
  const Pairs pairs(learned);
  Generator generator(options.seed);
  const Network network(pairs.size(), generator);

  const auto loss = [&](Tape& tape, std::int64_t) {
    std::vector<LabelledSentence> chosen;
    for (int i = 0; i < 32; ++i) chosen.push_back(learned[generator.below(learned.size())]);
    Batch batch(chosen, pairs);
    // Some pairs are made unknown, so that the network learns to read on where it meets one.
    for (auto& row : batch.rows)
      for (std::int64_t& pair : row)
        if (generator.uniform() < 0.2) pair = 0;
    return cross_entropy(network(tape, batch, 0.5, generator), batch.labels).named("L");
  };
  Adam adam(network.parameters(), {.learning_rate = 0.004});
  fit(loss, adam, {.updates = options.updates, .clip = 1, .callbacks = options.callbacks});

  const Batch questions(held_out, pairs), known(learned, pairs);
  Tape tape;
  const Var logits = network(tape, questions, 0, generator), p = softmax(logits);
  std::string shown = "held-out sentences, and the probability that the writer is pleased:\n";
  for (std::size_t i = 0; i < held_out.size(); i += held_out.size() / 11)
    shown += fmt::format("  {:.2f}  {}{}\n", p.value().flat(2 * i + 1), held_out[i].text,
                         (p.value().flat(2 * i + 1) > 0.5) == held_out[i].pleased ? "" : "  (wrong)");
  return {.score_name = fmt::format("accuracy on {} held-out sentences, half of them Korean", held_out.size()),
          .score = accuracy(likeliest(logits.value()), questions.labels),
          .baselines = {{"counts of pairs of characters (naive Bayes)", accuracy_of_counting(known, questions)},
                        {"always pleased", majority_accuracy(questions.labels, questions.labels)}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = shown,
          .picture = [network, pairs, last = held_out.back()](Tape& t) {
            Batch batch(std::span(&last, 1), pairs);
            batch.rows[0].resize(4);
            batch.lengths[0] = 4;
            Generator unused(1);
            return cross_entropy(network(t, batch, 0, unused), batch.labels).named("L");
          }};
}

}  // namespace unroll::examples
