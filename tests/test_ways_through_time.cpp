#include "layers_support.hpp"
#include "pages.hpp"
#include "support.hpp"

#include <unroll/core/check/gradient_bias.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/rtrl.hpp>

// The code that docs/ways-through-time.md shows: its blocks of C++ are the functions below, word for word. tests/test_page_output.cpp holds its console
// blocks to what the command prints.
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

std::string ways_through_time() { return project_text("docs/ways-through-time.md"); }

}  // namespace

TEST_CASE("ways through time: the code that the page shows is the code of its test") {
  const std::string source = read_file("test_ways_through_time.cpp");
  const auto code = code_blocks(ways_through_time(), "cpp");
  CHECK(code.size() == 5);
  for (const std::string& block : code) {
    INFO(block);
    CHECK(source.find("\n" + block) != std::string::npos);
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
  const std::string text = ways_through_time();
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
