#include <unroll/examples/reproduce/reber.hpp>
#include <unroll/examples/reproduce/sequences.hpp>

#include <unroll/core/array/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <string>

// The sequences of the published experiments are what the papers say they are.

namespace unroll::test {

namespace {

using namespace unroll::reproduce;

std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

// The symbol of each step of a (time, 1, 8) array, as a letter.
std::string letters(const Array& x) {
  std::string text;
  for (std::int64_t t = 0; t < x.shape()[0]; ++t) {
    double total = 0;
    for (std::int64_t k = 0; k < 8; ++k) {
      total += x.at({t, 0, k});
      if (x.at({t, 0, k}) == 1) text += "EBabcdXY"[k];
    }
    CHECK(total == 1);
  }
  return text;
}

}  // namespace

TEST_CASE("Reber strings: every string is one of the language that a regular expression describes") {
  // the grammar, written down a second time
  const std::string from_4 = "(?:XT*VP)*(?:S|XT*VV)", from_3 = "T*V(?:P" + from_4 + "|V)";
  const std::string inner = "B(?:TS*X" + from_4 + "|P" + from_3 + ")E";
  const std::regex language("B([TP])" + inner + "\\1E");
  Generator generator(1);
  std::set<std::string> seen;
  for (const ReberString& s : embedded_reber_strings(3000, generator)) {
    CHECK_MESSAGE(std::regex_match(s.symbols, language), s.symbols);
    CHECK(s.legal.size() == s.symbols.size());
    seen.insert(s.symbols);
  }
  CHECK(seen.size() > 100);
  CHECK(seen.contains("BTBTXSETE"));
  CHECK(seen.contains("BPBPVVEPE"));
  CHECK(!std::regex_match("BTBTXSEPE", language));
  CHECK(!std::regex_match("BTBTSETE", language));
}

TEST_CASE("Reber strings: the legal successors are those that strings with the same beginning go on with") {
  Generator generator(2);
  const auto strings = embedded_reber_strings(20'000, generator);
  std::map<std::string, std::map<char, int>> next;  // by beginning
  for (const ReberString& s : strings)
    for (std::size_t t = 0; t + 1 < s.symbols.size(); ++t) ++next[s.symbols.substr(0, t + 1)][s.symbols[t + 1]];
  std::size_t compared = 0;
  for (const ReberString& s : strings) {
    CHECK(s.legal.back().empty());
    for (std::size_t t = 0; t + 1 < s.symbols.size(); ++t) {
      CHECK(s.legal[t].find(s.symbols[t + 1]) != std::string::npos);
      const auto& found = next.at(s.symbols.substr(0, t + 1));
      int count = 0;
      std::string successors;
      for (const auto& [symbol, n] : found) {
        count += n;
        successors += symbol;
      }
      if (count < 40) continue;  // one of two ways would be missed with probability 2^-40
      CHECK(sorted(s.legal[t]) == successors);
      ++compared;
    }
  }
  CHECK(compared > 100'000);
}

TEST_CASE("Reber strings: both ways of a branch are equally likely and the mean length is 12") {
  // with e_k the expected number of symbols from place k: e_3 = 1 + e_2 / 2, e_2 = 2 + e_4, e_4 = 1 + e_3 / 2, e_1 = 2 + e_3,
  // e_0 = 1 + (e_1 + e_2) / 2 = 6; B and T or P and B before it, E and T or P and E after
  Generator generator(3);
  double length = 0, square = 0, t_first = 0;
  constexpr int n = 20'000;
  for (int k = 0; k < n; ++k) {
    const ReberString s = embedded_reber_string(generator);
    const auto size = static_cast<double>(s.symbols.size());
    length += size;
    square += size * size;
    t_first += s.symbols[1] == 'T' ? 1 : 0;
    CHECK(s.symbols.size() >= 9);
  }
  const double mean = length / n, deviation = std::sqrt(square / n - mean * mean);
  CHECK(std::abs(mean - 12) < 4 * deviation / std::sqrt(n));
  CHECK(std::abs(t_first / n - 0.5) < 4 * 0.5 / std::sqrt(n));
}

TEST_CASE("Reber symbols as rows with a single 1 and a symbol that is none") {
  const Array rows = one_hot("BTXE", 1, 3);
  CHECK(rows.shape() == Shape{2, 1, 7});
  for (std::int64_t k = 0; k < 7; ++k) {
    CHECK(rows.at({0, 0, k}) == (reber_symbols[k] == 'T' ? 1 : 0));
    CHECK(rows.at({1, 0, k}) == (reber_symbols[k] == 'X' ? 1 : 0));
  }
  CHECK_THROWS_WITH_AS(reber_index('Q'), "Q is no symbol of the Reber grammar: BTSXPVE", Error);
}

TEST_CASE("adding problem: one mark in each half and the target is the sum of the marked values") {
  Generator generator(4);
  const std::int64_t T = 12, B = 200;
  const Batch batch = adding_problem(T, B, generator);
  CHECK(batch.x.shape() == Shape{T, B, 2});
  CHECK(batch.target.shape() == Shape{B, 1});
  std::set<std::int64_t> marked;
  for (std::int64_t b = 0; b < B; ++b) {
    int early = 0, late = 0;
    double total = 0;
    for (std::int64_t t = 0; t < T; ++t) {
      const double value = batch.x.at({t, b, 0}), mark = batch.x.at({t, b, 1});
      CHECK((value >= 0 && value < 1));
      CHECK((mark == 0 || mark == 1));
      if (mark == 0) continue;
      ++(t < T / 2 ? early : late);
      marked.insert(t);
      total += value;
    }
    CHECK(early == 1);
    CHECK(late == 1);
    CHECK(batch.target.at({b, 0}) == doctest::Approx(total).epsilon(1e-6));
  }
  CHECK(marked.size() == 12);  // every step can be marked
}

TEST_CASE("adding problem of 1997: lengths and marks and target as the paper has them") {
  Generator generator(5);
  std::set<std::int64_t> lengths;
  bool first_marked = false;
  for (int k = 0; k < 400; ++k) {
    const Batch s = adding_problem_1997(40, generator);
    const std::int64_t T = s.x.shape()[0];
    lengths.insert(T);
    std::vector<std::int64_t> marks;
    double total = 0;
    for (std::int64_t t = 0; t < T; ++t) {
      CHECK(std::abs(s.x.at({t, 0, 0})) <= 1);
      const double mark = s.x.at({t, 0, 1});
      if (mark == 1) {
        marks.push_back(t);
        total += s.x.at({t, 0, 0});
      } else {
        CHECK(mark == (t == 0 || t == T - 1 ? -1 : 0));
      }
    }
    REQUIRE(marks.size() == 2);
    CHECK(marks[0] < 10);
    CHECK(marks[1] < 20);
    if (marks[0] == 0) {
      first_marked = true;
      CHECK(s.x.at({0, 0, 0}) == 0);
    }
    CHECK(s.target.item() == doctest::Approx(0.5 + total / 4).epsilon(1e-6));
  }
  CHECK(lengths == std::set<std::int64_t>{40, 41, 42, 43, 44});
  CHECK(first_marked);
}

TEST_CASE("temporal order: X and Y stand in their ranges and their order is the class") {
  Generator generator(6);
  for (const std::size_t places : {2U, 3U}) {
    std::map<std::string, std::set<std::size_t>> classes;
    for (int k = 0; k < 200; ++k) {
      const Batch s = temporal_order(static_cast<std::int64_t>(places), generator);
      const std::string text = letters(s.x);
      CHECK((text.size() >= 100 && text.size() <= 110));
      CHECK(text.front() == 'E');
      CHECK(text.back() == 'B');
      CHECK(text.find_first_of("EB", 1) == text.size() - 1);
      std::string order;
      std::vector<std::size_t> steps;
      for (std::size_t t = 0; t < text.size(); ++t)
        if (text[t] == 'X' || text[t] == 'Y') {
          order += text[t];
          steps.push_back(t + 1);
        }
      REQUIRE(steps.size() == places);
      CHECK((steps[0] >= 10 && steps[0] <= 20));
      if (places == 2) CHECK((steps[1] >= 50 && steps[1] <= 60));
      if (places == 3) CHECK((steps[1] >= 33 && steps[1] <= 43 && steps[2] >= 66 && steps[2] <= 76));
      CHECK(s.target.size() == (places == 2 ? 4 : 8));
      for (std::size_t c = 0; c < s.target.size(); ++c)
        if (s.target.flat(c) == 1) classes[order].insert(c);
    }
    // every order has one class, and no two the same
    std::set<std::size_t> used;
    CHECK(classes.size() == (places == 2 ? 4 : 8));
    for (const auto& [order, found] : classes) {
      CHECK(found.size() == 1);
      used.insert(*found.begin());
    }
    CHECK(used.size() == classes.size());
  }
}

TEST_CASE("recall: the sign of the first step is the target and the rest of the sequence does not know it") {
  Generator generator(7);
  const Batch s = recall(8, 300, generator);
  CHECK(s.x.shape() == Shape{9, 300, 2});
  double positive = 0, correlation = 0;
  for (std::int64_t b = 0; b < 300; ++b) {
    CHECK(s.x.at({0, b, 0}) == s.target.at({b, 0}));
    CHECK(std::abs(s.target.at({b, 0})) == 1);
    positive += s.target.at({b, 0}) > 0 ? 1 : 0;
    for (std::int64_t t = 0; t < 9; ++t) {
      if (t > 0) CHECK(s.x.at({t, b, 0}) == 0);
      correlation += s.x.at({t, b, 1}) * s.target.at({b, 0}) / (300 * 9);
    }
  }
  CHECK(std::abs(positive / 300 - 0.5) < 4 * 0.5 / std::sqrt(300.0));
  CHECK(std::abs(correlation) < 4 / std::sqrt(3.0 * 300 * 9));
}

TEST_CASE("copy task: the ten symbols come again after T steps and everything else is blank") {
  Generator generator(8);
  const std::size_t T = 7, B = 3;
  const CopySequences s = copy_task(static_cast<std::int64_t>(T), static_cast<std::int64_t>(B), generator);
  REQUIRE(s.symbols.size() == (T + 20) * B);
  REQUIRE(s.targets.size() == (T + 20) * B);
  for (std::size_t b = 0; b < B; ++b)
    for (std::size_t t = 0; t < T + 20; ++t) {
      const std::int64_t symbol = s.symbols[t * B + b], target = s.targets[t * B + b];
      if (t < 10)
        CHECK((symbol >= 0 && symbol < 8));
      else
        CHECK(symbol == (t == T + 9 ? 9 : 8));
      CHECK(target == (t < T + 10 ? 8 : s.symbols[(t - T - 10) * B + b]));
    }
}

}  // namespace unroll::test
