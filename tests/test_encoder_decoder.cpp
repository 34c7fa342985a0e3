#include "sequence_models.hpp"

#include <unroll/layers/encoder_decoder_check.hpp>

#include <cmath>

// From a sequence to a sequence: padding, the state that goes over, gradients of the whole, the numbering of time.

namespace unroll::test {

namespace {

const std::vector<Symbols> sources{{1, 2, 0}, {3}, {2, 2, 1, 0}};
const std::vector<Symbols> targets{{2, 1}, {3, 2, 3, 1}, {1}};

// A state that a lambda makes: two parts, of which only the first is put out.
AnyCell own_cell(Generator& generator) {
  const Parameter W("own.W", random_array({3, 3}, generator)), U("own.U", random_array({3, 3}, generator));
  const auto cell = [W, U](Var x, const std::pair<Var, Var>& before) -> std::pair<Var, std::pair<Var, Var>> {
    Tape& tape = x.tape();
    const Var in = matmul(x, tape.use(W)), back = matmul(before.first, tape.use(U));
    const Var h = tanh(in + back + before.second).named("h");
    return {h, {h, before.second * 0.5 + h}};
  };
  const auto zero = [](Tape& tape, std::int64_t batch) {
    return std::pair<Var, Var>{tape.constant(Array({batch, 3}, DType::f64), "h"),
                               tape.constant(Array({batch, 3}, DType::f64), "m")};
  };
  return AnyCell("own", cell, zero, {W, U});
}

enum class Kind { rnn, lstm, gru, own };
constexpr Kind kinds[] = {Kind::rnn, Kind::lstm, Kind::gru, Kind::own};

AnyCell cell_of_kind(Kind kind, Generator& generator) {
  switch (kind) {
    case Kind::rnn: return RNN({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
    case Kind::lstm: return small_lstm(generator);
    case Kind::gru: return GRU({.input = 3, .hidden = 3, .dtype = DType::f64}, generator);
    case Kind::own: break;
  }
  return own_cell(generator);
}

EncoderDecoder model(Kind encoder, Kind decoder, const std::optional<DecoderAttention>& attention, std::int64_t context,
                     Generator& generator) {
  const Encoder reads({.vocabulary = 4, .embedding = 3, .dtype = DType::f64}, cell_of_kind(encoder, generator),
                      generator);
  const Decoder writes(
      {.vocabulary = 4, .embedding = 3, .context = context, .attention = attention, .dtype = DType::f64},
      cell_of_kind(decoder, generator), generator);
  EncoderDecoder both(reads, writes);
  randomize(both, generator);
  return both;
}

const DecoderAttention additive{.score = AttentionScore::additive, .source = 3, .hidden = 2};
const std::vector<std::optional<DecoderAttention>> attentions{
    std::nullopt, additive, DecoderAttention{.score = AttentionScore::dot, .source = 3},
    DecoderAttention{.score = AttentionScore::scaled_dot, .source = 3}};

}  // namespace

TEST_CASE("encoder-decoder: gradients of every parameter agree with finite differences, for every cell and attention") {
  Generator generator(1);
  for (const Kind kind : kinds)
    for (const auto& attention : attentions) {
      const EncoderDecoder m = model(kind, kind, attention, 0, generator);
      const GradcheckReport report = gradcheck(m, {.steps = 3, .batch = 2});
      CHECK_MESSAGE(report.passed, to_string(report));
      CHECK(report.rows.size() == m.parameters().size());
    }
  const EncoderDecoder mixed = model(Kind::gru, Kind::lstm, additive, 3, generator);
  const GradcheckReport report = gradcheck(mixed, {.steps = 3, .batch = 2, .gradcheck = {.order = 2}});
  CHECK_MESSAGE(report.passed, to_string(report));
}

TEST_CASE(
    "encoder-decoder: each sequence of a padded batch has the logits and attention and gradients that it has alone") {
  Generator generator(2);
  for (const Kind kind : kinds)
    for (const auto& attention : std::span(attentions).first(2)) {
      const EncoderDecoder m = model(kind, kind, attention, 0, generator);
      Tape tape;
      const Taught together = m.teach(tape, sources, targets);
      const Gradients of_all = backward(together.loss);
      std::vector<Array> sums;
      for (const Parameter& p : m.parameters()) sums.emplace_back(p.shape(), DType::f64);
      double loss = 0, symbols = 0;
      for (std::size_t i = 0; i < sources.size(); ++i) {
        Tape own;
        const Taught alone = m.teach(own, std::span(sources).subspan(i, 1), std::span(targets).subspan(i, 1));
        const auto n = static_cast<double>(targets[i].size());
        const auto r = static_cast<std::int64_t>(i);
        for (std::size_t t = 0; t < targets[i].size(); ++t) {
          CHECK(close(slice(together.logits[t], 0, r, r + 1).value(), alone.logits[t].value(), 1e-13, 1e-11));
          if (!attention) continue;
          const Var weights = slice(slice(together.attention[t], 0, r, r + 1), 1, 0, std::ssize(sources[i]));
          CHECK(close(weights.value(), alone.attention[t].value(), 1e-13, 1e-11));
        }
        loss += n * alone.loss.item();
        symbols += n;
        const Gradients g = backward(alone.loss);
        for (std::size_t k = 0; k < sums.size(); ++k)
          for (std::size_t e = 0; e < sums[k].size(); ++e)
            sums[k].set_flat(e, sums[k].flat(e) + n * g[m.parameters()[k]].flat(e));
      }
      CHECK(together.loss.item() == doctest::Approx(loss / symbols).epsilon(1e-12));
      for (std::size_t k = 0; k < sums.size(); ++k) {
        for (std::size_t e = 0; e < sums[k].size(); ++e) sums[k].set_flat(e, sums[k].flat(e) / symbols);
        INFO("gradient of ", m.parameters()[k].name());
        CHECK(close(of_all[m.parameters()[k]], sums[k], 1e-12, 1e-10));
      }
    }
}

TEST_CASE(
    "encoder-decoder: with a context the decoder starts from tanh(v W + b), v being the encoder's whole last state") {
  Generator generator(7);
  const EncoderDecoder m = model(Kind::gru, Kind::lstm, std::nullopt, 3, generator);
  Array W, b;
  for (const Parameter& p : m.parameters()) {
    if (p.name() == "initial.W") W = p.value();
    if (p.name() == "initial.b") b = p.value();
  }
  REQUIRE(W.shape() == Shape{3, 6});
  Tape tape;
  const Array v = m.encoder(tape, sources).state[0].value().copy();
  const DecoderStart start = m.encode(tape, sources);
  REQUIRE(start.state.size() == 2);
  CHECK(tape.name(start.state[0].id()) == "h");
  CHECK(tape.name(start.state[1].id()) == "c");
  for (std::int64_t part = 0; part < 2; ++part)
    for (std::int64_t row = 0; row < 3; ++row)
      for (std::int64_t j = 0; j < 3; ++j) {
        double inner = b.at({3 * part + j});
        for (std::int64_t i = 0; i < 3; ++i) inner += v.at({row, i}) * W.at({i, 3 * part + j});
        CHECK(start.state[static_cast<std::size_t>(part)].value().at({row, j}) ==
              doctest::Approx(std::tanh(inner)).epsilon(1e-12));
      }
}

TEST_CASE("encoder-decoder: with a context the decoder starts from all parts of the encoder's state side by side") {
  Generator generator(16);
  // an LSTM's h and c, and a state of one number that the decoder could as well take as it is
  const EncoderDecoder wide = model(Kind::lstm, Kind::gru, std::nullopt, 6, generator);
  const auto narrow_rnn = [&] { return RNN({.input = 3, .hidden = 1, .dtype = DType::f64}, generator); };
  const EncoderDecoder narrow(
      Encoder({.vocabulary = 4, .embedding = 3, .dtype = DType::f64}, narrow_rnn(), generator),
      Decoder({.vocabulary = 4, .embedding = 3, .context = 1, .dtype = DType::f64}, narrow_rnn(), generator));
  for (const EncoderDecoder* both : {&wide, &narrow}) {
    randomize(*both, generator);
    Tape tape;
    const AnyCell::State read = both->encoder(tape, sources).state;
    const Var vector = both == &wide ? concat({read[0], read[1]}, 1) : read[0];
    const AnyCell::State expected = both->decoder.from(vector).state, found = both->encode(tape, sources).state;
    REQUIRE(found.size() == 1);
    CHECK(same_bits(found[0].value(), expected[0].value()));
    CHECK_FALSE(same_bits(found[0].value(), read[0].value()));
  }
}

TEST_CASE("encoder-decoder: translations of a batch are those of its sentences alone, and of a beam of width 1") {
  Generator generator(3);
  for (const auto& attention : std::span(attentions).first(3)) {
    const EncoderDecoder m = model(Kind::lstm, Kind::lstm, attention, 0, generator);
    const std::vector<Decoded> together = m.translate(sources, {.most_symbols = 6});
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const Decoded alone = m.translate(std::span(sources).subspan(i, 1), {.most_symbols = 6})[0];
      const Decoded beam = m.translate(sources[i], {.width = 1, .most_symbols = 6})[0];
      for (const Decoded& other : {alone, beam}) {
        CHECK(other.symbols == together[i].symbols);
        CHECK(other.log_probability == doctest::Approx(together[i].log_probability).epsilon(1e-12));
        REQUIRE(other.attention.size() == (attention ? together[i].attention.size() : 0));
        for (std::size_t t = 0; t < other.attention.size(); ++t)
          for (std::size_t j = 0; j < other.attention[t].size(); ++j)
            CHECK(other.attention[t][j] == doctest::Approx(together[i].attention[t][j]).epsilon(1e-10));
      }
      const std::size_t said = together[i].symbols.size() + (together[i].ended ? 1 : 0);
      if (attention) CHECK(together[i].attention.size() == said);
    }
  }
}

TEST_CASE("encoder-decoder: what a beam finds has the probability and the attention that teaching it has") {
  Generator generator(4);
  for (int trial = 0; trial < 5; ++trial) {
    const EncoderDecoder m = model(Kind::gru, Kind::gru, additive, 0, generator);
    const std::vector<Decoded> found = m.translate(sources[2], {.width = 6, .n_best = 6, .most_symbols = 5});
    for (const Decoded& d : found) {
      if (!d.ended) continue;
      Symbols target = d.symbols;
      target.push_back(1);
      Tape tape;
      const Taught taught = m.teach(tape, std::span(sources).subspan(2), {{target}});
      CHECK(d.log_probability ==
            doctest::Approx(-taught.loss.item() * static_cast<double>(target.size())).epsilon(1e-11));
      REQUIRE(d.attention.size() == target.size());
      for (std::size_t t = 0; t < target.size(); ++t)
        for (std::size_t j = 0; j < d.attention[t].size(); ++j)
          CHECK(d.attention[t][j] == doctest::Approx(taught.attention[t].value().flat(j)).epsilon(1e-11));
    }
  }
}

TEST_CASE("encoder-decoder: time runs on from the source to the target, and each step has its scope and attention") {
  Generator generator(5);
  const EncoderDecoder m = model(Kind::lstm, Kind::lstm, additive, 0, generator);
  Tape tape;
  m.teach(tape, std::span(sources).first(1), {{Symbols{2, 3, 1}}});
  for (std::int32_t t = 1; t <= 6; ++t) {
    const std::vector<NodeId> h = nodes_named(tape, "h", t);
    REQUIRE(h.size() == 1);
    CHECK(tape.path(tape[h[0]].place.scope) == (t <= 3 ? "encoder/lstm" : "decoder/lstm"));
    CHECK(nodes_named(tape, "attention", t).size() == (t <= 3 ? 0 : 1));
  }
  CHECK(nodes_named(tape, "h", 7).empty());
}

TEST_CASE("encoder-decoder: cells that do not fit together, sources and targets that are none, are refused") {
  Generator generator(6);
  CHECK_THROWS_WITH_AS(
      model(Kind::gru, Kind::lstm, {}, 0, generator),
      "encoder-decoder: the encoder's state has parts of widths (3), and the decoder takes (3, 3): give both "
      "one kind of cell, or the decoder option context = 3",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      model(Kind::lstm, Kind::lstm, {}, 5, generator),
      "encoder-decoder: the encoder's state has parts of widths (3, 3), and the decoder takes a vector of "
      "width 5: give both one kind of cell, or the decoder option context = 6",
      ShapeError);
  const EncoderDecoder m = model(Kind::lstm, Kind::lstm, additive, 0, generator);
  Tape tape;
  const auto encode = [&](const std::vector<Symbols>& s) { m.encode(tape, s); };
  CHECK_THROWS_WITH_AS(encode({}), "encoder: a batch without any source", ShapeError);
  CHECK_THROWS_WITH_AS(encode({{1}, {}}), "encoder: source 1 is empty, expected at least one symbol", ShapeError);
  CHECK_THROWS_WITH_AS(encode({{1}, {2, 4}}), "encoder: source 1 has symbol 4 at position 1, expected 0 to 3",
                       ShapeError);
  CHECK_THROWS_WITH_AS(encode({{-1}}), "encoder: source 0 has symbol -1 at position 0, expected 0 to 3", ShapeError);
  CHECK_THROWS_WITH_AS(m.teach(tape, sources, std::span(targets).first(2)),
                       "decoder: 2 targets were given for a state of batch 3", ShapeError);

  DecoderStart start = m.encode(tape, sources);
  start.source = {};
  CHECK_THROWS_WITH_AS(m.decoder.teach(start, targets),
                       "decoder: made with attention, so that it needs a source to attend to", Error);
  const EncoderDecoder plain = model(Kind::lstm, Kind::lstm, {}, 0, generator);
  CHECK_THROWS_WITH_AS(plain.decoder.teach(m.encode(tape, sources), targets),
                       "decoder: made without attention, so that it takes no source", Error);
  Generator floats(1);
  const EncoderDecoder single(
      Encoder({.vocabulary = 4, .embedding = 3}, LSTM({.input = 3, .hidden = 3}, floats), floats),
      Decoder({.vocabulary = 4, .embedding = 3}, LSTM({.input = 3, .hidden = 3}, floats), floats));
  CHECK_THROWS_WITH_AS(gradcheck(single, {.steps = 0, .batch = 2}), "gradcheck: option steps is 0, expected at least 1",
                       ShapeError);
  CHECK(gradcheck(single, {}).dtype == DType::f32);
}

}  // namespace unroll::test
