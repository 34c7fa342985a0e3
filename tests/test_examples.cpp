#include <unroll/core/array/utf8.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/render.hpp>
#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/scores.hpp>
#include <unroll/layers/symbols.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

// The examples of the task shapes, with few updates: that each one learns and is reproducible. What they score when they are trained to the end
// is for the command to say.

namespace unroll::test {

namespace {

using examples::Example;
using examples::Outcome;

struct Run {
  Outcome outcome;
  std::vector<double> losses;
};

Run run(const Example& example, std::int64_t updates, std::uint64_t seed = 1) {
  Run result;
  const FitCallback note = [&](const FitState& state) {
    result.losses.push_back(state.loss);
    return true;
  };
  result.outcome = example.run({.seed = seed, .updates = updates, .callbacks = {note}});
  return result;
}

double mean(std::span<const double> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size());
}

}  // namespace

TEST_CASE("examples: every task shape has one") {
  std::set<std::string_view> shapes, names;
  for (const Example& example : examples::all()) {
    shapes.insert(example.shape);
    names.insert(example.name);
    CHECK(&examples::find(example.name) == &example);
  }
  CHECK(shapes == std::set<std::string_view>{"one-to-one", "one-to-many", "many-to-one", "many-to-many, synchronised",
                                             "many-to-many, encoder-decoder"});
  CHECK(names.size() == examples::all().size());
}

TEST_CASE("examples: an unknown name or file is refused, with the names that are known") {
  CHECK_THROWS_WITH_AS(examples::find("nope"),
                       "there is no example nope: choose one of digit, caption, sentiment, translate, next-character, "
                       "series, video",
                       Error);
  CHECK_THROWS_WITH_AS(examples::data_text("none.txt"), "no data file none.txt is built in", Error);
}

TEST_CASE("examples: each one learns") {
  for (const Example& example : examples::all()) {
    INFO(example.name);
    const Run learned = run(example, 40);
    const std::span<const double> losses = learned.losses;
    REQUIRE(losses.size() == 40);
    CHECK(mean(losses.last(8)) < 0.95 * mean(losses.first(8)));  // more than batches differ by chance
    const Outcome& outcome = learned.outcome;
    CHECK(std::isfinite(outcome.score));
    CHECK(outcome.score >= 0);
    CHECK(!outcome.score_name.empty());
    CHECK(!outcome.baselines.empty());
    CHECK(outcome.parameters > 0);
    CHECK(outcome.shown.ends_with('\n'));
  }
}

TEST_CASE("examples: equal seeds give equal bits and another seed does not") {
  for (const Example& example : examples::all()) {
    INFO(example.name);
    const Run first = run(example, 3), again = run(example, 3), other = run(example, 3, 2);
    CHECK(first.losses == again.losses);
    CHECK(first.outcome.score == again.outcome.score);
    CHECK(first.outcome.shown == again.outcome.shown);
    for (std::size_t i = 0; i < first.outcome.baselines.size(); ++i)
      CHECK(first.outcome.baselines[i].score == again.outcome.baselines[i].score);
    CHECK(first.losses != other.losses);
  }
}

TEST_CASE("examples: the picture is of the trained network unrolled over a few steps") {
  for (const Example& example : examples::all()) {
    INFO(example.name);
    const Outcome outcome = example.run({.updates = 1});
    Tape tape;
    const Var loss = outcome.picture(tape);
    CHECK(std::isfinite(loss.item()));
    const Gradients gradients = backward(loss, {.keep = Keep::all});
    const std::string dot = render(tape, {.format = Format::dot, .gradients = &gradients});
    CHECK((dot.find("t = 2") != std::string::npos) == (example.shape != "one-to-one"));
    CHECK(tape.size() < 1000);
  }
}

TEST_CASE("examples: without memory the direction of a moving shape cannot be told") {
  const Outcome outcome = examples::find("video").run({.updates = 150});
  CHECK(outcome.baselines[0].name == "the same network without memory");
  CHECK(outcome.score > outcome.baselines[0].score + 0.1);
  CHECK(outcome.baselines[0].score < 0.5);
}

TEST_CASE("examples: the digits are those of the source") {
  // the number of each digit, as the UCI repository states it of this file
  const std::vector<std::int64_t> stated{178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  std::vector<std::int64_t> counts(10);
  for (const examples::DigitImage& image : examples::digit_images()) {
    ++counts[static_cast<std::size_t>(image.label)];
    for (const float pixel : image.pixels) CHECK_UNARY(pixel >= 0 && pixel <= 1);
  }
  CHECK(counts == stated);
  CHECK(examples::digits_to_learn().size() == 1437);
  CHECK(examples::digits_held_out().size() == 360);
  // the second row of the first image, a zero: 0 0 13 15 10 15 5 0
  const auto& first = examples::digit_images().front();
  CHECK(first.label == 0);
  const std::vector<float> row{0, 0, 13, 15, 10, 15, 5, 0};
  for (std::size_t i = 0; i < 8; ++i) CHECK(first.pixels[8 + i] * 16 == row[i]);
}

TEST_CASE("examples: half of the sentences are pleased and half are Korean") {
  const auto learned = examples::sentences_to_learn(), held_out = examples::sentences_held_out();
  CHECK(learned.size() == 800);
  CHECK(held_out.size() == 200);
  std::set<std::string_view> different;
  for (const auto* part : {&learned, &held_out}) {
    std::map<std::pair<bool, bool>, std::size_t> counts;
    for (const auto& sentence : *part) {
      const std::u32string text = decode_utf8(sentence.text);
      const bool korean = std::any_of(text.begin(), text.end(), [](char32_t c) { return c >= U'가' && c <= U'힣'; });
      ++counts[{sentence.pleased, korean}];
      different.insert(sentence.text);
    }
    for (const auto& [kind, count] : counts) CHECK(count * 4 == part->size());
    CHECK(counts.size() == 4);
  }
  CHECK(different.size() == 1000);
}

TEST_CASE("examples: the sea temperatures are those of the source") {
  const std::vector<double> months = examples::sea_temperatures();
  REQUIRE(months.size() == 61 * 12);
  CHECK(months.front() == 23.11);
  CHECK(months.back() == 22.07);
  for (const double month : months) CHECK_UNARY(month > 15 && month < 32);
}

TEST_CASE("examples: scores by hand") {
  Tape tape;
  const Var logits = tape.constant(Array({3, 2}, {0.0, 1.0, 2.0, 1.0, -3.0, -2.0}));
  const std::vector<std::int64_t> answers = likeliest(logits.value());
  CHECK(answers == std::vector<std::int64_t>{1, 0, 1});
  CHECK(examples::accuracy(answers, std::vector<std::int64_t>{1, 0, 0}) == doctest::Approx(2.0 / 3));
  CHECK(examples::majority_accuracy(std::vector<std::int64_t>{4, 7, 7}, std::vector<std::int64_t>{7, 4, 4, 4}) == 0.25);
}

TEST_CASE("examples: pictures stand side by side above their captions") {
  const std::vector<float> a{0, 1, 0.5F, 0.3F}, b{1, 0, 0, 0};
  const std::vector<examples::Picture> pictures{{.pixels = a, .width = 2, .caption = "칠"},
                                                {.pixels = b, .width = 2, .caption = "b"}};
  CHECK(examples::side_by_side(pictures) ==
        "    #   #\n"
        "  o .\n"
        "  칠    b\n");
  CHECK(examples::side_by_side({}).empty());
}

}  // namespace unroll::test
