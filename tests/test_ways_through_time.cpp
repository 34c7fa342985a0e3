#include "layers_support.hpp"

#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/check/gradient_bias.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/rtrl.hpp>

#include <cstdio>

// The code and the output that docs/ways-through-time.md shows: its blocks of C++ are the functions below, word for word, and its console blocks are
// what the command prints.
namespace unroll::test {

namespace {

Var loss_over_time(Tape& tape, const LSTM& lstm, const Array& xs) {
  const auto [outputs, last] = over_time(lstm, tape.constant(xs, "x"));
  return mean(square(stack(outputs)));
}

Var truncated_loss(Tape& tape, const LSTM& lstm, const Array& xs) {
  const Truncation truncation{.k1 = 10, .k2 = 20};
  const auto [outputs, last] = over_time(lstm, tape.constant(xs, "x"), {.truncate = truncation});
  return mean(square(stack(outputs)));
}

Var recomputed_loss(Tape& tape, const LSTM& lstm, const Array& xs) {
  const auto [outputs, last] = over_time(lstm, tape.constant(xs, "x"), {.recompute = Recompute::square_root()});
  return mean(square(stack(outputs)));
}

GradientBias bias_of_truncation(const LSTM& lstm, const Array& xs) {
  Tape a, b;
  const Gradients truncated = backward(truncated_loss(a, lstm, xs));
  const Gradients full = backward(loss_over_time(b, lstm, xs));
  return gradient_bias(truncated, full, lstm.parameters());
}

RtrlResult forward_in_time(const LSTM& lstm, const std::vector<Array>& xs) {
  const auto initial = [&](Tape& tape) { return lstm.zero_state(tape, 1); };
  const auto step_loss = [&](Var h, std::int64_t) { return mean(square(h)); };
  return rtrl(lstm, xs, initial, lstm.parameters(), step_loss);
}

std::string page() { return read_whole_file(std::string(UNROLL_SOURCE_DIR) + "/docs/ways-through-time.md"); }

std::vector<std::string> blocks(const std::string& text, const std::string& language) {
  std::vector<std::string> found;
  const std::string open = "```" + language + "\n", close = "```";
  for (std::size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    const std::size_t begin = at + open.size(), end = text.find(close, begin);
    REQUIRE(end != std::string::npos);
    found.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return found;
}

std::string output_of(const std::string& arguments) {
  std::FILE* pipe = ::popen((std::string("'") + UNROLL_COMMAND + "' " + arguments + " 2>&1 </dev/null").c_str(), "r");
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  CHECK(::pclose(pipe) == 0);
  return text;
}

}  // namespace

TEST_CASE("ways through time: the code that the page shows is the code of its test") {
  const std::string source = read_whole_file(std::string(UNROLL_TEST_DIR) + "/test_ways_through_time.cpp");
  const auto code = blocks(page(), "cpp");
  CHECK(code.size() == 5);
  for (const std::string& block : code) {
    INFO(block);
    CHECK(source.find("\n" + block) != std::string::npos);
  }
}

TEST_CASE("ways through time: the output that the page shows is what the command prints") {
  const auto sessions = blocks(page(), "console");
  CHECK(sessions.size() == 2);
  for (const std::string& session : sessions) {
    const std::size_t end = session.find('\n');
    REQUIRE(session.starts_with("$ unroll "));
    CHECK(session.substr(end + 1) == output_of(session.substr(9, end - 9)));
  }
}

TEST_CASE("ways through time: what the page says about its programs is true") {
  Generator generator(1);
  const LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  constexpr std::int64_t T = 40;
  std::vector<Array> xs;
  std::vector<double> all;
  for (std::int64_t t = 0; t < T; ++t) {
    xs.push_back(random_array({1, 2}, generator));
    all.insert(all.end(), {xs.back().flat(0), xs.back().flat(1)});
  }
  const Array whole({T, 1, 2}, std::span<const double>(all));
  Tape full, truncated;
  const Var loss = loss_over_time(full, lstm, whole);
  CHECK(same_bits(loss.value(), truncated_loss(truncated, lstm, whole).value()));

  const GradientBias bias = bias_of_truncation(lstm, whole);
  CHECK(bias.all.relative_error > 1e-4);
  CHECK(bias.all.relative_error < 0.5);
  CHECK(bias.all.cosine > 0.9);

  Tape thrifty;
  const Var recomputed = recomputed_loss(thrifty, lstm, whole);
  CHECK(thrifty.size() < full.size() / 2);
  const Gradients exact = backward(loss), again = backward(recomputed);
  for (const Parameter& p : lstm.parameters()) CHECK(same_bits(again[p], exact[p]));
  const std::string text = page();
  for (const auto& [name, schedule] :
       std::vector<std::pair<std::string, Recompute>>{{"every(100)", Recompute::every(100)},
                                                      {"square_root()", Recompute::square_root()},
                                                      {"revolve(10)", Recompute::revolve(10)},
                                                      {"revolve(3)", Recompute::revolve(3)}}) {
    const std::size_t row = text.find("| `Recompute::" + name);
    REQUIRE(row != std::string::npos);
    CHECK(text.substr(row, text.find('\n', row) - row)
              .ends_with("| " + std::to_string(schedule.recomputed_steps(1000)) + " |"));
  }

  // the loss of the page is the mean over the steps, that of RTRL their sum
  const RtrlResult forward = forward_in_time(lstm, xs);
  CHECK(forward.loss == doctest::Approx(T * loss.item()).epsilon(1e-13));
  const Gradients g = backward(loss);
  for (std::size_t i = 0; i < forward.gradients.size(); ++i) {
    const ArrayView expected = g[lstm.parameters()[i]];
    for (std::size_t k = 0; k < expected.size(); ++k)
      CHECK(forward.gradients[i].flat(k) == doctest::Approx(T * expected.flat(k)).epsilon(1e-10));
  }
}

}  // namespace unroll::test
