#include <unroll/layers/decoding.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

void require(const Decoder& decoder, const char* option, double value, double low) {
  if (!(value >= low))
    throw Error(
        fmt::format("{}: option {} of the decoding is {}, expected at least {}", decoder.name(), option, value, low));
}

std::vector<double> row_of(const ArrayView& matrix, std::size_t row) {
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  std::vector<double> numbers(columns);
  for (std::size_t k = 0; k < columns; ++k) numbers[k] = matrix.flat(row * columns + k);
  return numbers;
}

// log softmax of the logits, in double precision.
std::vector<double> log_probabilities(const Decoder& decoder, Var logits, std::size_t row) {
  std::vector<double> numbers = row_of(logits.value(), row);
  const double largest = *std::max_element(numbers.begin(), numbers.end());
  double sum = 0;
  for (const double x : numbers) sum += std::exp(x - largest);
  if (!std::isfinite(sum))
    throw Error(decoder.name() + ": its answers are not finite numbers, so that none is the likeliest");
  for (double& x : numbers) x -= largest + std::log(sum);
  return numbers;
}

// A sequence with one more symbol.
Decoded extended(Decoded decoded, std::int64_t symbol, double log_probability, Var attention, std::size_t row,
                 std::int64_t end) {
  decoded.log_probability = log_probability;
  decoded.ended = symbol == end;
  if (!decoded.ended) decoded.symbols.push_back(symbol);
  if (!attention.empty()) decoded.attention.push_back(row_of(attention.value(), row));
  return decoded;
}

// One symbol more for one of the sequences that are followed.
struct Continuation {
  std::size_t sequence;
  std::int64_t symbol;
  double log_probability;  // of the whole
};

// The best `width` continuations, best first. std::stable_sort keeps the order of equals: by sequence, then by symbol.
std::vector<Continuation> best_continuations(const Decoder& decoder, Var logits, const std::vector<Decoded>& followed,
                                             std::int64_t width) {
  std::vector<Continuation> all;
  for (std::size_t i = 0; i < followed.size(); ++i) {
    const std::vector<double> next = log_probabilities(decoder, logits, i);
    for (std::size_t k = 0; k < next.size(); ++k)
      all.push_back({i, static_cast<std::int64_t>(k), followed[i].log_probability + next[k]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Continuation& a, const Continuation& b) { return a.log_probability > b.log_probability; });
  if (std::ssize(all) > width) all.resize(static_cast<std::size_t>(width));
  return all;
}

void rank(std::vector<Decoded>& answers, double alpha) {
  for (Decoded& a : answers)
    a.score = a.log_probability / length_penalty(std::ssize(a.symbols) + (a.ended ? 1 : 0), alpha);
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Decoded& a, const Decoded& b) { return a.score > b.score; });
}

// Whether no sequence that is followed can overtake the answers wanted: a log-probability can only fall, and is divided by at most the penalty of the limit.
bool settled(const std::vector<Decoded>& answers, const std::vector<Decoded>& followed, const BeamOptions& o) {
  if (std::ssize(answers) < o.n_best) return false;
  const double wanted = answers[static_cast<std::size_t>(o.n_best) - 1].score;
  const double limit = length_penalty(o.most_symbols, o.length_normalisation);
  return std::all_of(followed.begin(), followed.end(),
                     [&](const Decoded& d) { return d.log_probability / limit <= wanted; });
}

}  // namespace

double length_penalty(std::int64_t symbols, double alpha) {
  return std::pow((5 + static_cast<double>(symbols)) / 6, alpha);
}

std::vector<Decoded> greedy(const Decoder& decoder, const DecoderStart& start, const GreedyOptions& o) {
  require(decoder, "most_symbols", static_cast<double>(o.most_symbols), 1);
  std::vector<Decoded> answers(static_cast<std::size_t>(batch_of(start)));
  Tape& tape = start.state.front().tape();
  AnyCell::State state = start.state;
  Symbols before(answers.size(), decoder.options.start);
  const auto ended = [](const Decoded& answer) { return answer.ended; };
  for (std::int64_t t = 1; t <= o.most_symbols && !std::all_of(answers.begin(), answers.end(), ended); ++t) {
    const Step at(tape, start.steps + t);
    DecoderStep done = decoder.step(decoder.embed(tape, before), state, start.source);
    state = std::move(done.state);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ended) continue;
      const std::vector<double> next = log_probabilities(decoder, done.logits, i);
      const auto best = std::max_element(next.begin(), next.end());
      before[i] = best - next.begin();
      const double sum = answers[i].log_probability + *best;
      answers[i] = extended(std::move(answers[i]), before[i], sum, done.attention, i, decoder.options.end);
    }
  }
  for (Decoded& answer : answers) answer.score = answer.log_probability;
  return answers;
}

std::vector<Decoded> beam(const Decoder& decoder, const DecoderStart& start, const BeamOptions& o) {
  require(decoder, "width", static_cast<double>(o.width), 1);
  require(decoder, "n_best", static_cast<double>(o.n_best), 1);
  require(decoder, "length_normalisation", o.length_normalisation, 0);
  require(decoder, "most_symbols", static_cast<double>(o.most_symbols), 1);
  if (o.n_best > o.width)
    throw Error(fmt::format("{}: option n_best of the decoding is {}, expected at most the width {}", decoder.name(),
                            o.n_best, o.width));
  if (const std::int64_t batch = batch_of(start); batch != 1)
    throw Error(
        fmt::format("{}: beam search takes the start of one sequence, and this is of {}", decoder.name(), batch));

  Tape& tape = start.state.front().tape();
  std::vector<Decoded> followed(1), answers;
  AnyCell::State state = start.state;
  Symbols before{decoder.options.start};
  for (std::int64_t t = 1; t <= o.most_symbols && !followed.empty() && !settled(answers, followed, o); ++t) {
    const Step at(tape, start.steps + t);
    const AttentionSource source = start.source.rows(std::vector<std::int64_t>(followed.size(), 0));
    const DecoderStep done = decoder.step(decoder.embed(tape, before), state, source);
    std::vector<Decoded> next;
    std::vector<std::int64_t> rows;
    before.clear();
    for (const Continuation& c : best_continuations(decoder, done.logits, followed, o.width)) {
      Decoded sequence =
          extended(followed[c.sequence], c.symbol, c.log_probability, done.attention, c.sequence, decoder.options.end);
      if (sequence.ended) {
        answers.push_back(std::move(sequence));
        continue;
      }
      next.push_back(std::move(sequence));
      rows.push_back(static_cast<std::int64_t>(c.sequence));
      before.push_back(c.symbol);
    }
    rank(answers, o.length_normalisation);
    followed = std::move(next);
    if (!followed.empty()) state = map_state(done.state, [&](Var part) { return gather(part, rows); });
  }
  if (answers.empty()) {
    rank(followed, o.length_normalisation);
    answers = std::move(followed);
  }
  if (std::ssize(answers) > o.n_best) answers.resize(static_cast<std::size_t>(o.n_best));
  return answers;
}

}  // namespace unroll
