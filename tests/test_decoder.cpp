#include "sequence_models.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

// The decoder: teaching, its step as a cell, greedy and beam decoding against exhaustive search.

namespace unroll::test {

namespace {

// Calls f(symbols, ended) for every answer that there is: all sequences that end within the limit, and all that reach it.
void for_each_answer(std::int64_t vocabulary, std::int64_t end, std::int64_t most,
                     const std::function<void(const Symbols&, bool)>& f, Symbols prefix = {}) {
  for (std::int64_t s = 0; s < vocabulary; ++s) {
    if (s == end) {
      f(prefix, true);
      continue;
    }
    prefix.push_back(s);
    if (std::ssize(prefix) == most)
      f(prefix, false);
    else
      for_each_answer(vocabulary, end, most, f, prefix);
    prefix.pop_back();
  }
}

// The log-probability of an answer, from the loss of teaching it: the mean over its symbols.
double log_probability(const Decoder& decoder, const Array& vector, Symbols answer) {
  answer.push_back(decoder.options.end);
  Tape tape;
  const Var loss = decoder.teach(decoder.from(tape.constant(vector)), {{answer}}).loss;
  return -loss.item() * static_cast<double>(answer.size());
}

Parameter parameter(const Module& module, const std::string& name) {
  for (const Parameter& p : module.parameters())
    if (p.name() == name) return p;
  FAIL("no parameter " << name);
  return {};
}

// A decoder that knows the symbol before and nothing else: after symbol s, the next one has the probabilities of row s. Its start is 0,
// its end 1.
Decoder bigrams(const std::vector<std::vector<double>>& rows) {
  const auto pass = [](Var x, Var nothing) { return std::pair(x, nothing); };
  const AnyCell cell("pass", pass, [](Tape& tape, std::int64_t batch) {
    return tape.constant(Array({batch, 1}, DType::f64), "nothing");
  });
  const std::int64_t n = std::ssize(rows);
  Generator generator(1);
  const Decoder decoder({.vocabulary = n, .embedding = n, .end = std::min<std::int64_t>(n - 1, 1), .dtype = DType::f64},
                        cell, generator);
  Array identity({n, n}, DType::f64), logits({n, n}, DType::f64);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < rows.size(); ++k) {
      identity.set_flat(i * rows.size() + k, i == k ? 1 : 0);
      logits.set_flat(i * rows.size() + k, std::log(rows[i][k]));
    }
  parameter(decoder, "target.E").assign(identity);
  parameter(decoder, "readout.W").assign(logits);
  return decoder;
}

DecoderStart nothing_before(Tape& tape) { return {.state = {tape.constant(Array({1, 1}, DType::f64))}}; }

std::int64_t last_step(const Tape& tape) {
  std::int64_t last = 0;
  for (NodeId id = 0; id < tape.size(); ++id) last = std::max<std::int64_t>(last, tape[id].place.step);
  return last;
}

}  // namespace

TEST_CASE("decoder: the loss of teaching is the mean of -log p over the symbols, end symbols included, padding not") {
  Generator generator(1);
  const Decoder decoder = small_decoder(generator);
  const Array vectors = random_array({2, 4}, generator);
  const std::vector<Symbols> targets{{2, 3, 2, 1}, {3, 1}};
  Tape tape;
  const Taught taught = decoder.teach(decoder.from(tape.constant(vectors)), targets);
  REQUIRE(taught.logits.size() == 4);
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i)
    for (std::size_t t = 0; t < targets[i].size(); ++t) {
      const ArrayView logits = taught.logits[t].value();
      double z = 0;
      for (std::int64_t k = 0; k < 4; ++k) z += std::exp(logits.at({static_cast<std::int64_t>(i), k}));
      sum -= std::log(std::exp(logits.at({static_cast<std::int64_t>(i), targets[i][t]})) / z);
    }
  CHECK(taught.loss.item() == doctest::Approx(sum / 6).epsilon(1e-12));
}

TEST_CASE("decoder: each sequence of a padded batch has the logits that it has alone") {
  Generator generator(2);
  const Decoder decoder = small_decoder(generator);
  const Array vectors = random_array({2, 4}, generator);
  const std::vector<Symbols> targets{{2, 3, 2, 1}, {3, 1}};
  Tape tape;
  const Taught both = decoder.teach(decoder.from(tape.constant(vectors)), targets);
  const Var second = slice(tape.constant(vectors), 0, 1, 2);
  const Taught alone = decoder.teach(decoder.from(second), std::span(targets).subspan(1));
  REQUIRE(alone.logits.size() == 2);
  for (std::size_t t = 0; t < 2; ++t)
    CHECK(close(slice(both.logits[t], 0, 1, 2).value(), alone.logits[t].value(), 1e-14, 1e-12));
}

TEST_CASE("decoder: with always the true symbol it is its own step under over_time") {
  Generator generator(3);
  const Decoder decoder = small_decoder(generator);
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(random_array({1, 4}, generator)));
  const Taught taught = decoder.teach(start, {{Symbols{2, 3, 1}}});
  std::vector<Var> xs;
  for (const std::int64_t symbol : {0, 2, 3}) xs.push_back(decoder.embed(tape, std::vector<std::int64_t>{symbol}));
  const auto sequence = over_time(decoder.cell(), xs, start.state);
  REQUIRE(sequence.outputs.size() == 3);
  for (std::size_t t = 0; t < 3; ++t) CHECK(same_bits(sequence.outputs[t].value(), taught.logits[t].value()));
}

TEST_CASE("decoder: symbols are embedded as rows of the embedding") {
  Generator generator(14);
  const Decoder decoder = small_decoder(generator);
  Tape tape;
  const Var x = decoder.embed(tape, Symbols{3, 0});
  const Parameter E = parameter(decoder, "target.E");
  for (std::int64_t k = 0; k < 3; ++k) {
    CHECK(x.value().at({0, k}) == E.value().at({3, k}));
    CHECK(x.value().at({1, k}) == E.value().at({0, k}));
  }
}

TEST_CASE("decoder: a step with attention is tanh([h, c] W + b) V + d, with h of the cell and c of the source") {
  Generator generator(15);
  const LSTM cell = small_lstm(generator);
  const Decoder decoder({.vocabulary = 4,
                         .embedding = 3,
                         .attention = DecoderAttention{.score = AttentionScore::dot, .source = 3},
                         .dtype = DType::f64},
                        cell, generator);
  for (Parameter p : decoder.parameters()) p.assign(normal(p.shape(), 1, generator, DType::f64));
  Tape tape;
  std::vector<Var> outputs;
  for (int t = 0; t < 2; ++t) outputs.push_back(tape.input(random_array({1, 3}, generator)));
  const Var h0 = tape.input(random_array({1, 3}, generator)), c0 = tape.input(random_array({1, 3}, generator));
  const Var x = decoder.embed(tape, Symbols{2});
  const DecoderStep done = decoder.step(x, {h0, c0}, decoder.source(outputs));

  const Array h = cell(x, LSTMState{h0, c0}).first.value().copy();
  double fit[2] = {0, 0};
  for (int j = 0; j < 2; ++j)
    for (std::int64_t i = 0; i < 3; ++i)
      fit[j] += h.at({0, i}) * outputs[static_cast<std::size_t>(j)].value().at({0, i});
  const double first = 1 / (1 + std::exp(fit[1] - fit[0]));
  std::vector<double> both;
  for (std::int64_t i = 0; i < 3; ++i) both.push_back(h.at({0, i}));
  for (std::int64_t i = 0; i < 3; ++i)
    both.push_back(first * outputs[0].value().at({0, i}) + (1 - first) * outputs[1].value().at({0, i}));
  const Parameter W = parameter(decoder, "combine.W"), b = parameter(decoder, "combine.b");
  const Parameter V = parameter(decoder, "readout.W"), d = parameter(decoder, "readout.b");
  Array expected({1, 4}, DType::f64);
  for (std::int64_t k = 0; k < 4; ++k) {
    double logit = d.value().at({k});
    for (std::int64_t m = 0; m < 3; ++m) {
      double sum = b.value().at({m});
      for (std::int64_t i = 0; i < 6; ++i) sum += both[static_cast<std::size_t>(i)] * W.value().at({i, m});
      logit += std::tanh(sum) * V.value().at({m, k});
    }
    expected.set_flat(static_cast<std::size_t>(k), logit);
  }
  CHECK(close(done.logits.value(), expected, 1e-14, 1e-12));
}

TEST_CASE("decoder: with ratio 0 it sees its own answers, and true symbols make no difference") {
  Generator generator(4);
  const Decoder decoder = small_decoder(generator);
  const Array vector = random_array({1, 4}, generator);
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(vector));
  const Taught own = decoder.teach(start, {{Symbols{2, 2, 2, 1}}}, {.ratio = 0});
  const Taught other = decoder.teach(start, {{Symbols{3, 0, 3, 1}}}, {.ratio = 0});
  // by hand: the argmax of each step goes into the next
  AnyCell::State state = start.state;
  Symbols before{0};
  for (std::size_t t = 0; t < 4; ++t) {
    DecoderStep done = decoder.step(decoder.embed(tape, before), state);
    CHECK(same_bits(own.logits[t].value(), done.logits.value()));
    CHECK(same_bits(own.logits[t].value(), other.logits[t].value()));
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < 4; ++k)
      if (done.logits.value().at({0, k}) > done.logits.value().at({0, best})) best = k;
    before = {best};
    state = done.state;
  }
  const Taught truth = decoder.teach(start, {{Symbols{2, 2, 2, 1}}});
  CHECK_FALSE(same_bits(own.logits[1].value(), truth.logits[1].value()));
}

TEST_CASE("decoder: a ratio between mixes both, as often as it says, and repeats itself from the seed") {
  Generator generator(5);
  const Decoder decoder = small_decoder(generator);
  const std::int64_t batch = 64;
  const Array vectors = random_array({batch, 4}, generator);
  std::vector<Symbols> ended(static_cast<std::size_t>(batch), Symbols(9, 0));
  for (Symbols& target : ended) target.back() = 1;
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(vectors));
  const auto embedded = [&](double ratio, std::uint64_t seed) {
    Generator draws(seed);
    const std::size_t before = tape.size();
    decoder.teach(start, ended, {.ratio = ratio, .generator = &draws});
    std::vector<Array> rows;
    for (NodeId id = static_cast<NodeId>(before); id < tape.size(); ++id)
      if (tape.name(id) == "x") rows.push_back(tape.var(id).value().copy());
    return rows;
  };
  const Array truth = decoder.embed(tape, Symbols{0}).value().copy();
  const auto seen = embedded(0.3, 7);
  std::int64_t true_symbols = 0, choices = 0;
  for (std::size_t t = 1; t < seen.size(); ++t)
    for (std::int64_t b = 0; b < batch; ++b) {
      bool equal = true;
      for (std::int64_t k = 0; k < 3; ++k) equal &= seen[t].at({b, k}) == truth.at({0, k});
      true_symbols += equal;
      ++choices;
    }
  // the true symbol can be the answer as well: with ratio 0 all that are seen are answers
  std::int64_t own = 0;
  for (const auto& rows = embedded(0, 7); const Array& row : std::span(rows).subspan(1))
    for (std::int64_t b = 0; b < batch; ++b) own += row.at({b, 0}) == truth.at({0, 0});
  const double share = static_cast<double>(true_symbols) / static_cast<double>(choices);
  const double expected = 0.3 + 0.7 * static_cast<double>(own) / static_cast<double>(choices);
  CHECK(std::abs(share - expected) < 0.1);
  const auto again = embedded(0.3, 7), another = embedded(0.3, 8);
  bool differs = false;
  for (std::size_t t = 0; t < seen.size(); ++t) {
    CHECK(same_bits(seen[t], again[t]));
    differs |= !same_bits(seen[t], another[t]);
  }
  CHECK(differs);
}

TEST_CASE("decoding: greedy takes the likeliest symbol at each step, and stops at the end symbol or the limit") {
  Generator generator(6);
  bool some_ended = false, some_cut = false;
  for (int trial = 0; trial < 6; ++trial) {
    const Decoder decoder = small_decoder(generator);
    const Array vectors = random_array({5, 4}, generator);
    Tape tape;
    const std::vector<Decoded> answers = greedy(decoder, decoder.from(tape.constant(vectors)), {.most_symbols = 5});
    REQUIRE(answers.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      // alone, step by step
      AnyCell::State state =
          decoder.from(slice(tape.constant(vectors), 0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1))
              .state;
      Symbols said;
      std::int64_t symbol = 0;
      double log_p = 0;
      for (int t = 0; t < 5; ++t) {
        const DecoderStep done = decoder.step(decoder.embed(tape, Symbols{symbol}), state);
        const ArrayView p = log_softmax(done.logits).value();
        symbol = 0;
        for (std::int64_t k = 1; k < 4; ++k)
          if (p.at({0, k}) > p.at({0, symbol})) symbol = k;
        log_p += p.at({0, symbol});
        if (symbol == 1) break;
        said.push_back(symbol);
        state = done.state;
      }
      CHECK(answers[i].symbols == said);
      CHECK(answers[i].ended == (symbol == 1));
      CHECK(answers[i].log_probability == doctest::Approx(log_p).epsilon(1e-12));
      (answers[i].ended ? some_ended : some_cut) = true;
    }
  }
  CHECK(some_ended);
  CHECK(some_cut);
}

TEST_CASE("decoding: a beam of width 1 gives what greedy gives") {
  Generator generator(7);
  for (int trial = 0; trial < 30; ++trial) {
    const Decoder decoder = small_decoder(generator);
    Tape tape;
    const DecoderStart start = decoder.from(tape.constant(random_array({1, 4}, generator)));
    const Decoded expected = greedy(decoder, start, {.most_symbols = 4})[0];
    const std::vector<Decoded> found = beam(decoder, start, {.width = 1, .most_symbols = 4});
    REQUIRE(found.size() == 1);
    CHECK(found[0].symbols == expected.symbols);
    CHECK(found[0].ended == expected.ended);
    CHECK(found[0].log_probability == expected.log_probability);
    CHECK(found[0].score == expected.score);
  }
}

TEST_CASE("decoding: a beam as wide as there are continuations finds the best n answers of exhaustive search") {
  Generator generator(8);
  int greedy_is_worse = 0;
  for (const double alpha : {0.0, 0.7, 2.0})
    for (int trial = 0; trial < 4; ++trial) {
      const Decoder decoder = small_decoder(generator);
      const Array vector = random_array({1, 4}, generator);
      std::vector<Decoded> all;
      for_each_answer(4, 1, 4, [&](const Symbols& symbols, bool ended) {
        if (!ended) return;
        const double log_p = log_probability(decoder, vector, symbols);
        all.push_back(
            {symbols, true, log_p, log_p / std::pow((6.0 + static_cast<double>(symbols.size())) / 6, alpha), {}});
      });
      CHECK(all.size() == 1 + 3 + 9 + 27);
      std::sort(all.begin(), all.end(), [](const Decoded& a, const Decoded& b) { return a.score > b.score; });
      Tape tape;
      const DecoderStart start = decoder.from(tape.constant(vector));
      const std::vector<Decoded> found =
          beam(decoder, start, {.width = 4 * 27, .n_best = 5, .length_normalisation = alpha, .most_symbols = 4});
      REQUIRE(found.size() == 5);
      for (std::size_t i = 0; i < 5; ++i) {
        CHECK(found[i].symbols == all[i].symbols);
        CHECK(found[i].log_probability == doctest::Approx(all[i].log_probability).epsilon(1e-10));
        CHECK(found[i].score == doctest::Approx(all[i].score).epsilon(1e-10));
      }
      if (alpha == 0) greedy_is_worse += greedy(decoder, start, {.most_symbols = 4})[0].symbols != all[0].symbols;
    }
  CHECK(greedy_is_worse > 0);  // otherwise these cases would not need a beam
}

TEST_CASE("decoding: a beam goes on as long as what it follows can become one of the best n answers") {
  // "" has 0.5, "2" 0.49 * 0.1, and "23", which is found a step later, 0.49 * 0.9 * 0.98
  const Decoder decoder = bigrams(
      {{0.001, 0.5, 0.49, 0.009}, {0.25, 0.25, 0.25, 0.25}, {0.0005, 0.099, 0.0005, 0.9}, {0.01, 0.98, 0.005, 0.005}});
  Tape tape;
  const std::vector<Decoded> found = beam(decoder, nothing_before(tape), {.width = 4, .n_best = 2});
  REQUIRE(found.size() == 2);
  CHECK(found[0].symbols.empty());
  CHECK(found[1].symbols == Symbols{2, 3});
  CHECK(found[1].log_probability == doctest::Approx(std::log(0.49 * 0.9 * 0.98)).epsilon(1e-12));
  CHECK(last_step(tape) < 10);
}

TEST_CASE("decoding: a beam stops as soon as nothing can overtake the answers wanted") {
  const std::vector<double> even{0.25, 0.25, 0.25, 0.25};
  Tape equal, certain;
  beam(bigrams({even, even, even, even}), nothing_before(equal), {.width = 64, .most_symbols = 9});
  CHECK(last_step(equal) == 1);  // the empty answer, and others can at best be as likely
  const std::vector<double> end{0.1, 0.7, 0.1, 0.1};
  const Decoder decoder = bigrams({end, end, end, end});
  beam(decoder, nothing_before(certain), {.width = 3, .n_best = 3, .most_symbols = 9});
  CHECK(last_step(certain) == 2);  // the empty answer, and two of those of one symbol
}

TEST_CASE("decoding: greedy stops when every sequence has ended") {
  Tape tape;
  const std::vector<double> end{0.1, 0.7, 0.1, 0.1};
  CHECK(greedy(bigrams({end, end, end, end}), nothing_before(tape), {.most_symbols = 9})[0].symbols.empty());
  CHECK(last_step(tape) == 1);
}

TEST_CASE("decoding: where there is nothing to say but the end, there is one answer") {
  Tape tape;
  const std::vector<Decoded> found = beam(bigrams({{1}}), nothing_before(tape), {.width = 2, .n_best = 2});
  REQUIRE(found.size() == 1);
  CHECK(found[0].symbols.empty());
  CHECK(found[0].ended);
  CHECK(last_step(tape) == 1);
}

TEST_CASE("decoding: the probabilities of all answers add up to 1") {
  Generator generator(9);
  const Decoder decoder = small_decoder(generator);
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(random_array({1, 4}, generator)));
  double sum = 0;
  for (const Decoded& d : beam(decoder, start, {.width = 1000, .n_best = 1000, .most_symbols = 4}))
    sum += std::exp(d.log_probability);
  // what has not ended within 4 symbols: its first 4, all paths
  const std::function<double(const AnyCell::State&, std::int64_t, int)> unfinished =
      [&](const AnyCell::State& state, std::int64_t symbol, int left) -> double {
    if (left == 0) return 1;
    const DecoderStep done = decoder.step(decoder.embed(tape, Symbols{symbol}), state);
    const Array p = softmax(done.logits).value().copy();
    double total = 0;
    for (std::int64_t k = 0; k < 4; ++k)
      if (k != 1) total += p.at({0, k}) * unfinished(done.state, k, left - 1);
    return total;
  };
  CHECK(sum + unfinished(start.state, 0, 4) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("decoding: among equals the order is that of the symbols") {
  Generator generator(10);
  const Decoder decoder = small_decoder(generator);
  for (Parameter p : decoder.parameters()) p.assign(Array(p.shape(), DType::f64));  // all symbols equally likely
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(Array({1, 4}, DType::f64)));
  CHECK(greedy(decoder, start, {.most_symbols = 3})[0].symbols == Symbols{0, 0, 0});
  const std::vector<Decoded> found = beam(decoder, start, {.width = 64, .n_best = 6, .most_symbols = 3});
  REQUIRE(found.size() == 6);
  CHECK(found[0].symbols.empty());
  CHECK(found[1].symbols == Symbols{0});
  CHECK(found[2].symbols == Symbols{2});
  CHECK(found[3].symbols == Symbols{3});
  CHECK(found[4].symbols == Symbols{0, 0});
  CHECK(found[5].symbols == Symbols{0, 2});
}

TEST_CASE("decoding: where nothing ends within the limit the best unfinished sequences are given, and say so") {
  Generator generator(11);
  const Decoder decoder = small_decoder(generator);
  for (Parameter p : decoder.parameters())
    if (p.name() == "readout.b") p.assign(Array({4}, {0, -1e6, 0, 0}));  // never the end symbol
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(random_array({1, 4}, generator)));
  // the end is so unlikely that a beam never takes it
  const std::vector<Decoded> found = beam(decoder, start, {.width = 3, .n_best = 2, .most_symbols = 2});
  REQUIRE(found.size() == 2);
  for (const Decoded& d : found) {
    CHECK_FALSE(d.ended);
    CHECK(d.symbols.size() == 2);
  }
  CHECK(found[0].score >= found[1].score);
  // no end symbol that would count
  const BeamOptions normalised{.width = 3, .n_best = 2, .length_normalisation = 1, .most_symbols = 2};
  for (const Decoded& d : beam(decoder, start, normalised))
    CHECK(d.score == doctest::Approx(d.log_probability / ((5.0 + 2) / 6)).epsilon(1e-14));
}

TEST_CASE("decoder: bad options, vectors, symbols and targets are refused with what was expected") {
  Generator generator(12);
  const auto made = [&](DecoderOptions options) { return Decoder(options, small_lstm(generator), generator); };
  CHECK_THROWS_WITH_AS(made({.embedding = 3}), "target: option vocabulary is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(made({.vocabulary = 3}), "target: option dimension is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(made({.vocabulary = 3, .embedding = 3, .start = 3}),
                       "decoder: option start is 3, expected a symbol from 0 to 2", ShapeError);
  CHECK_THROWS_WITH_AS(made({.vocabulary = 3, .embedding = 3, .end = -1, .name = "speaker"}),
                       "speaker: option end is -1, expected a symbol from 0 to 2", ShapeError);
  CHECK_THROWS_WITH_AS(made({.vocabulary = 3, .embedding = 2, .dtype = DType::f64}),
                       doctest::Contains("the input x has shape (1, 2), expected (batch, 3)"), ShapeError);

  const Decoder decoder = small_decoder(generator);
  Tape tape;
  const DecoderStart start = decoder.from(tape.constant(Array({2, 4}, DType::f64)));
  CHECK_THROWS_WITH_AS(decoder.from(tape.constant(Array({2, 5}, DType::f64))),
                       "decoder: the vector has shape (2, 5), expected (batch, 4)", ShapeError);
  CHECK_THROWS_WITH_AS(decoder.embed(tape, Symbols{0, 4}), "decoder: symbol 1 of the batch is 4, expected 0 to 3",
                       ShapeError);
  CHECK_THROWS_WITH_AS(decoder.embed(tape, Symbols{-1}), "decoder: symbol 0 of the batch is -1, expected 0 to 3",
                       ShapeError);
  const auto teach = [&](const std::vector<Symbols>& targets, const TeacherForcing& forcing = {}) {
    decoder.teach(start, targets, forcing);
  };
  CHECK_THROWS_WITH_AS(teach({}), "decoder: a batch without any target", ShapeError);
  CHECK_THROWS_WITH_AS(teach({{2, 1}, {}}), "decoder: target 1 is empty, expected at least one symbol", ShapeError);
  CHECK_THROWS_WITH_AS(teach({{2, 1}, {2, 7, 1}}), "decoder: target 1 has symbol 7 at position 1, expected 0 to 3",
                       ShapeError);
  const char* no_end = "decoder: target 0 does not have the end symbol 1 at its end and only there";
  CHECK_THROWS_WITH_AS(teach({{2, 3}, {1}}), no_end, ShapeError);
  CHECK_THROWS_WITH_AS(teach({{2, 1, 3, 1}, {1}}), no_end, ShapeError);
  CHECK_THROWS_WITH_AS(teach({{1}}), "decoder: 1 targets were given for a state of batch 2", ShapeError);
  for (const double ratio : {-0.1, 1.5})
    CHECK_THROWS_WITH_AS(teach({{1}, {1}}, {.ratio = ratio}),
                         fmt::format("decoder: the ratio of teacher forcing is {}, expected 0 to 1", ratio).c_str(),
                         Error);
  CHECK_THROWS_WITH_AS(teach({{1}, {1}}, {.ratio = std::nan("")}),
                       "decoder: the ratio of teacher forcing is nan, expected 0 to 1", Error);
  CHECK_THROWS_WITH_AS(teach({{1}, {1}}, {.ratio = 0.5}),
                       "decoder: a ratio of teacher forcing of 0.5 needs a generator for its draws", Error);
  CHECK_THROWS_WITH_AS(decoder.teach({}, {{Symbols{1}}}), "decoder: the state has no parts", ShapeError);
  const Var h = start.state[0], c = slice(start.state[1], 0, 0, 1);
  CHECK_THROWS_WITH_AS(decoder.teach({.state = {h, c}}, {{Symbols{1}}}),
                       "decoder: the parts of the state have shapes (2, 3) and (1, 3), of unequal batches", ShapeError);

  const Decoder given({.vocabulary = 4, .embedding = 3, .dtype = DType::f64}, small_lstm(generator), generator);
  CHECK_THROWS_WITH_AS(given.from(tape.constant(Array({2, 4}, DType::f64))),
                       "decoder: made without option context, so that it takes no vector but a state", Error);
}

TEST_CASE("decoding: bad options and answers that are no numbers are refused") {
  Generator generator(13);
  const Decoder decoder = small_decoder(generator);
  Tape tape;
  const DecoderStart one = decoder.from(tape.constant(Array({1, 4}, DType::f64)));
  const DecoderStart two = decoder.from(tape.constant(Array({2, 4}, DType::f64)));
  CHECK_THROWS_WITH_AS(greedy(decoder, one, {.most_symbols = 0}),
                       "decoder: option most_symbols of the decoding is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, one, {.width = 0}),
                       "decoder: option width of the decoding is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, one, {.n_best = 0}),
                       "decoder: option n_best of the decoding is 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, one, {.width = 2, .n_best = 3}),
                       "decoder: option n_best of the decoding is 3, expected at most the width 2", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, one, {.length_normalisation = -1}),
                       "decoder: option length_normalisation of the decoding is -1, expected at least 0", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, one, {.most_symbols = -3}),
                       "decoder: option most_symbols of the decoding is -3, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(beam(decoder, two), "decoder: beam search takes the start of one sequence, and this is of 2",
                       Error);
  for (Parameter p : decoder.parameters())
    if (p.name() == "readout.b") p.assign(Array({4}, {0, std::nan(""), 0, 0}));
  const char* message = "decoder: its answers are not finite numbers, so that none is the likeliest";
  const DecoderStart again = decoder.from(tape.constant(Array({1, 4}, DType::f64)));
  Tape fresh;
  CHECK_THROWS_WITH_AS(greedy(decoder, decoder.from(fresh.constant(Array({1, 4}, DType::f64)))), message, Error);
  CHECK_THROWS_WITH_AS(beam(decoder, decoder.from(fresh.constant(Array({1, 4}, DType::f64)))), message, Error);
}

}  // namespace unroll::test
