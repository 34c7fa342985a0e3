#include "support.hpp"

#include <unroll/core/array/utf8.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/number_words.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

// The example that translates numbers: their words, and its reproducible training.

namespace unroll::test {

namespace {

using examples::english_number;
using examples::korean_number;

// What English words say, by adding and multiplying: written apart from the program under test.
std::int64_t english_value(std::string words) {
  static const std::map<std::string, std::int64_t> values{
      {"zero", 0},      {"one", 1},       {"two", 2},       {"three", 3},    {"four", 4},     {"five", 5},
      {"six", 6},       {"seven", 7},     {"eight", 8},     {"nine", 9},     {"ten", 10},     {"eleven", 11},
      {"twelve", 12},   {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17},
      {"eighteen", 18}, {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},  {"forty", 40},   {"fifty", 50},
      {"sixty", 60},    {"seventy", 70},  {"eighty", 80},   {"ninety", 90}};
  for (char& c : words)
    if (c == '-') c = ' ';
  std::istringstream in(words);
  std::int64_t total = 0, group = 0;
  for (std::string word; in >> word;) {
    if (word == "thousand") {
      total += group * 1000;
      group = 0;
    } else if (word == "hundred") {
      group *= 100;
    } else {
      group += values.at(word);
    }
  }
  return total + group;
}

std::int64_t korean_value(const std::u32string& text) {
  static const std::u32string digits = U"영일이삼사오육칠팔구";
  static const std::map<char32_t, std::int64_t> units{{U'십', 10}, {U'백', 100}, {U'천', 1000}};
  std::int64_t total = 0, digit = 0;
  bool said = false;
  for (const char32_t c : text) {
    if (const auto unit = units.find(c); unit != units.end()) {
      total += (said ? digit : 1) * unit->second;
      said = false;
    } else {
      digit = static_cast<std::int64_t>(digits.find(c));
      said = true;
    }
  }
  return total + (said ? digit : 0);
}

}  // namespace

TEST_CASE("number words: as they are written in English and in Korean") {
  const std::map<std::int64_t, std::pair<std::string, std::string>> expected{
      {0, {"zero", "영"}},
      {10, {"ten", "십"}},
      {15, {"fifteen", "십오"}},
      {20, {"twenty", "이십"}},
      {100, {"one hundred", "백"}},
      {111, {"one hundred eleven", "백십일"}},
      {321, {"three hundred twenty-one", "삼백이십일"}},
      {606, {"six hundred six", "육백육"}},
      {1000, {"one thousand", "천"}},
      {2340, {"two thousand three hundred forty", "이천삼백사십"}},
      {7018, {"seven thousand eighteen", "칠천십팔"}},
      {9999, {"nine thousand nine hundred ninety-nine", "구천구백구십구"}}};
  for (const auto& [number, words] : expected) {
    CHECK(encode_utf8(english_number(number)) == words.first);
    CHECK(encode_utf8(korean_number(number)) == words.second);
  }
}

TEST_CASE("number words: every number is read back from its words, and no two are alike") {
  std::set<std::u32string> seen;
  for (std::int64_t n = 0; n <= 9999; ++n) {
    REQUIRE(english_value(encode_utf8(english_number(n))) == n);
    REQUIRE(korean_value(korean_number(n)) == n);
    seen.insert(english_number(n));
    seen.insert(korean_number(n));
    // a one is not said before a unit
    for (const char32_t* wrong : {U"일십", U"일백", U"일천"})
      REQUIRE(korean_number(n).find(wrong) == std::u32string::npos);
  }
  CHECK(seen.size() == 20000);
}

TEST_CASE("number words: a number that is not one of 0 to 9999 is refused") {
  for (const std::int64_t n : {-1, 10000}) {
    const std::string message = fmt::format("the number {} is not one of 0 to 9999", n);
    CHECK_THROWS_WITH_AS(english_number(n), message.c_str(), Error);
    CHECK_THROWS_WITH_AS(korean_number(n), message.c_str(), Error);
  }
}

TEST_CASE("translate: a training repeats itself from its seed, on numbers whose answers were never learned from") {
  const auto run = [](std::uint64_t seed) {
    std::vector<double> losses;
    const examples::Outcome outcome =
        examples::translate({.seed = seed, .updates = 5, .callbacks = {[&](const FitState& state) {
                                                           losses.push_back(state.loss);
                                                           return true;
                                                         }}});
    return std::pair{outcome, losses};
  };
  const auto [outcome, losses] = run(3);
  const auto [again, losses_again] = run(3);
  CHECK(losses.size() == 5);
  CHECK(losses == losses_again);
  CHECK(outcome.shown == again.shown);
  CHECK(outcome.score == again.score);
  CHECK(run(4).second != losses);
  CHECK(outcome.baselines.at(0).score == 0);

  Tape tape;
  const Var loss = outcome.picture(tape);
  CHECK(loss.shape() == Shape{});
  std::size_t attended = 0;
  for (NodeId id = 0; id < tape.size(); ++id) attended += tape.name(id) == "attention";
  CHECK(attended == 3);  // 2, 3, and the end
}

}  // namespace unroll::test
