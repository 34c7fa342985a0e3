#include "layers_support.hpp"

#include <unroll/core/check/gradcheck.hpp>
#include <unroll/layers/attention.hpp>

#include <cmath>

#include <fmt/format.h>

// Attention against plain loops, its mask, its gradients, and what it refuses.

namespace unroll::test {

namespace {

constexpr std::int64_t batch = 3, time = 4, hidden = 5, query_width = 2;
const std::vector<std::int64_t> some_lengths{4, 1, 3};

struct Attended2 {  // (batch, time) and (batch, width)
  std::vector<std::vector<double>> weights, context;
};

// The definition, one sequence and one position after the other.
Attended2 by_hand(const Attention& attention, const Array& query, const std::vector<Array>& outputs,
                  const std::vector<std::int64_t>& lengths) {
  const auto at = [](const Array& m, std::int64_t i, std::int64_t j) { return m.at({i, j}); };
  const std::int64_t width = outputs[0].shape()[1], asked = query.shape()[1];
  Attended2 result;
  for (std::int64_t b = 0; b < query.shape()[0]; ++b) {
    std::vector<double> e;
    for (std::int64_t j = 0; j < lengths[static_cast<std::size_t>(b)]; ++j) {
      const Array& s = outputs[static_cast<std::size_t>(j)];
      double score = 0;
      if (attention.options.score == AttentionScore::additive) {
        for (std::int64_t k = 0; k < attention.options.hidden; ++k) {
          double inner = 0;
          for (std::int64_t i = 0; i < asked; ++i) inner += at(query, b, i) * at(attention.W.value(), i, k);
          for (std::int64_t i = 0; i < width; ++i) inner += at(s, b, i) * at(attention.U.value(), i, k);
          score += std::tanh(inner) * at(attention.v.value(), k, 0);
        }
      } else {
        for (std::int64_t i = 0; i < width; ++i) score += at(query, b, i) * at(s, b, i);
        if (attention.options.score == AttentionScore::scaled_dot) score /= std::sqrt(static_cast<double>(width));
      }
      e.push_back(score);
    }
    double total = 0;
    for (const double score : e) total += std::exp(score);
    std::vector<double> weights(outputs.size()), context(static_cast<std::size_t>(width));
    for (std::size_t j = 0; j < e.size(); ++j) {
      weights[j] = std::exp(e[j]) / total;
      for (std::int64_t i = 0; i < width; ++i)
        context[static_cast<std::size_t>(i)] += weights[j] * at(outputs[j], b, i);
    }
    result.weights.push_back(weights);
    result.context.push_back(context);
  }
  return result;
}

Array array_of(const std::vector<std::vector<double>>& rows) {
  Array result({std::ssize(rows), std::ssize(rows[0])}, DType::f64);
  for (std::size_t i = 0, n = 0; i < rows.size(); ++i)
    for (const double x : rows[i]) result.set_flat(n++, x);
  return result;
}

AttentionOptions options_of(AttentionScore score) {
  const bool additive = score == AttentionScore::additive;
  return {.score = score,
          .query = additive ? query_width : 3,
          .source = 3,
          .hidden = additive ? hidden : 0,
          .dtype = DType::f64};
}

constexpr AttentionScore all_scores[] = {AttentionScore::additive, AttentionScore::dot, AttentionScore::scaled_dot};

// Random outputs and a random query for one attention.
struct Asked {
  Asked(const Attention& attention, Generator& generator)
      : query(random_array({batch, attention.options.query}, generator)) {
    for (std::int64_t t = 0; t < time; ++t) outputs.push_back(random_array({batch, 3}, generator));
  }
  std::vector<Var> on(Tape& tape) const {
    std::vector<Var> vars;
    for (const Array& a : outputs) vars.push_back(tape.input(a));
    return vars;
  }
  Array query;
  std::vector<Array> outputs;
};

}  // namespace

TEST_CASE("attention: weights and context are those of plain loops, with and without lengths") {
  Generator generator(1);
  for (const AttentionScore score : all_scores)
    for (const auto& lengths : {some_lengths, std::vector<std::int64_t>(batch, time), std::vector<std::int64_t>{}}) {
      INFO("score ", static_cast<int>(score), ", lengths ", lengths.size());
      const Attention attention(options_of(score), generator);
      randomize(attention, generator);
      const Asked asked(attention, generator);
      Tape tape;
      const AttentionSource source = attention.source(asked.on(tape), lengths);
      const Attended attended = attention(tape.input(asked.query), source);
      const Attended2 expected = by_hand(attention, asked.query, asked.outputs,
                                         lengths.empty() ? std::vector<std::int64_t>(batch, time) : lengths);
      CHECK(close(attended.weights.value(), array_of(expected.weights), 1e-14, 1e-12));
      CHECK(close(attended.context.value(), array_of(expected.context), 1e-14, 1e-12));
      CHECK(tape.name(attended.weights.id()) == "attention");
    }
}

TEST_CASE("attention: chosen rows of a source are attended to as the whole is, with their own lengths") {
  Generator generator(9);
  for (const AttentionScore score : all_scores) {
    const Attention attention(options_of(score), generator);
    randomize(attention, generator);
    const Asked asked(attention, generator);
    const std::vector<std::int64_t> rows{2, 1, 1, 0};
    Tape tape;
    const AttentionSource source = attention.source(asked.on(tape), some_lengths);
    const Var query = tape.input(asked.query);
    const Attended whole = attention(query, source), chosen = attention(gather(query, rows), source.rows(rows));
    CHECK(close(chosen.weights.value(), gather(whole.weights, rows).value(), 1e-15, 1e-14));
    CHECK(close(chosen.context.value(), gather(whole.context, rows).value(), 1e-15, 1e-14));
  }
}

TEST_CASE("attention: weights add up to 1 and are exactly 0 beyond the length, in float32 too") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const AttentionScore score : all_scores) {
      Generator generator(2);
      AttentionOptions options = options_of(score);
      options.dtype = dtype;
      const Attention attention(options, generator);
      Tape tape;
      std::vector<Var> outputs;
      // the padding is what would win if it counted
      for (std::int64_t t = 0; t < time; ++t)
        outputs.push_back(
            tape.input(Array::filled({batch, 3}, t == time - 1 ? 50 : 0.1 * static_cast<double>(t), dtype)));
      const Var query = tape.input(Array::filled({batch, options.query}, 1, dtype));
      const ArrayView weights = attention(query, attention.source(outputs, some_lengths)).weights.value();
      for (std::int64_t b = 0; b < batch; ++b) {
        double total = 0;
        for (std::int64_t t = 0; t < time; ++t) {
          total += weights.at({b, t});
          if (t >= some_lengths[static_cast<std::size_t>(b)]) CHECK(weights.at({b, t}) == 0);
        }
        CHECK(total == doctest::Approx(1).epsilon(1e-6));
      }
    }
}

TEST_CASE("attention: gradients by query, outputs and parameters agree with finite differences, and padding has none") {
  for (const AttentionScore score : all_scores) {
    Generator generator(3);
    const Attention attention(options_of(score), generator);
    randomize(attention, generator);
    const Asked asked(attention, generator);
    std::vector<Parameter> all = attention.parameters();
    all.emplace_back("query", asked.query);
    const std::size_t first = all.size();
    for (std::size_t t = 0; t < asked.outputs.size(); ++t) all.emplace_back(fmt::format("s{}", t), asked.outputs[t]);
    const auto program = [&](Tape& tape) {
      std::vector<Var> outputs;
      for (std::size_t t = first; t < all.size(); ++t) outputs.push_back(tape.use(all[t]));
      const Attended attended = attention(tape.use(all[first - 1]), attention.source(outputs, some_lengths));
      return concat({attended.context, attended.weights}, 1);
    };
    for (const int order : {1, 2}) {
      const GradcheckReport report = gradcheck(std::function<Var(Tape&)>(program), all, {.order = order});
      CHECK_MESSAGE(report.passed, to_string(report));
      CHECK(report.rows.size() == all.size());
    }
    Tape tape;
    const Var total = sum(square(program(tape)));
    const Gradients gradients = backward(total);
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t t = 0; t < time; ++t) {
        const ArrayView g = gradients[all[first + static_cast<std::size_t>(t)]];
        const double size = std::abs(g.at({b, 0})) + std::abs(g.at({b, 1})) + std::abs(g.at({b, 2}));
        CHECK((size == 0) == (t >= some_lengths[static_cast<std::size_t>(b)]));
      }
  }
}

TEST_CASE("attention: what does not fit is refused by name and shape") {
  Generator generator(4);
  CHECK_THROWS_WITH_AS(Attention({.query = 2, .source = 3}, generator),
                       "attention: option hidden is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(Attention({.source = 3, .hidden = 2}, generator),
                       "attention: option query is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(Attention({.query = 2, .hidden = 2, .name = "look"}, generator),
                       "look: option source is 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(Attention({.score = AttentionScore::dot, .query = 2, .source = 3}, generator),
                       "attention: a dot product needs equal widths, but option query is 2 and option source is 3",
                       ShapeError);

  const Attention attention({.score = AttentionScore::dot, .query = 3, .source = 3}, generator);
  Tape tape;
  const auto of = [&](Shape shape) { return tape.input(Array(std::move(shape))); };
  const std::vector<Var> two{of({2, 3}), of({2, 3})};
  CHECK_THROWS_WITH_AS(attention.source({}), "attention: a source of no steps, expected at least one", ShapeError);
  CHECK_THROWS_WITH_AS(attention.source({of({2, 3}), of({3, 3})}),
                       "attention: output 1 of the source has shape (3, 3), expected (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(attention.source({of({3})}),
                       "attention: output 0 of the source has shape (3), expected (batch, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(attention.source(two, std::vector<std::int64_t>{2}),
                       "attention: 1 lengths were given for a batch of 2", ShapeError);
  CHECK_THROWS_WITH_AS(attention.source(two, std::vector<std::int64_t>{2, 0}),
                       "lengths: sequence 1 has length 0, expected 1 to 2 steps", ShapeError);
  CHECK_THROWS_WITH_AS(attention.source(two, std::vector<std::int64_t>{3, 1}),
                       "lengths: sequence 0 has length 3, expected 1 to 2 steps", ShapeError);
  CHECK_THROWS_WITH_AS(attention(of({1, 3}), attention.source(two)),
                       "attention: the query has shape (1, 3), expected (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(attention(of({2, 3}), AttentionSource{}),
                       "attention: an empty source: make one with source(outputs)", TapeError);
}

}  // namespace unroll::test
