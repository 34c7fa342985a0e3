#include "support.hpp"

#include <unroll/core/array/safetensors.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/optimizers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>

// Planted NaN and infinities: what made them is named, with gate and time step.

namespace unroll::test {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::string message_of(Var loss) {
  const auto found = first_nonfinite(loss);
  return found ? found->message : "nothing";
}

// An LSTM over five steps and the mean square of its last state.
struct Lstm {
  Lstm() : generator(1), packed({.input = 2, .hidden = 3}, generator), xs({5, 1, 2}) {
    for (std::size_t i = 0; i < xs.size(); ++i) xs.set_flat(i, generator.uniform(-1, 1));
  }
  template <class Cell> Var loss(Tape& tape, const Cell& cell) const {
    return mean(square(over_time(cell, tape.constant(xs, "data")).state.h));
  }

  Generator generator;
  LSTM packed;
  Array xs;
};

}  // namespace

TEST_CASE("finite: nothing is found where loss and gradients are finite") {
  Tape tape;
  const Lstm lstm;
  CHECK(!first_nonfinite(lstm.loss(tape, lstm.packed)));
}

TEST_CASE("finite: an operation of the forward pass that overflows is named") {
  Tape tape;
  const Var x = tape.input(Array({3}, {1, 800, 2}), "x");
  const Var y = exp(x).named("y");
  const auto found = first_nonfinite(sum(square(y)));
  REQUIRE(found.has_value());
  CHECK(found->node == y.id());
  CHECK(!found->backward);
  CHECK(found->value == infinity);
  CHECK(found->message == "exp (y): first made inf at (1) in the forward pass, from finite numbers  [node 1]");
}

TEST_CASE("finite: a division by zero and a logarithm of zero are named") {
  Tape tape;
  const Var zero = tape.input(Array({2}, {1, 0}));
  CHECK(message_of(sum(tape.input(Array({2}, {0, 0})) / zero)) ==
        "div: first made nan at (1) in the forward pass, from finite numbers  [node 2]");
  CHECK(message_of(sum(1 / zero)).starts_with("div: first made inf at (1) in the forward pass"));
  CHECK(message_of(sum(log(zero) * 2)).starts_with("log: first made -inf at (1) in the forward pass"));
}

TEST_CASE("finite: the first of several culprits is named and not what came of it") {
  Tape tape;
  const Var x = tape.input(Array({1}, {0.0}));
  const Var first = log(x), second = 1 / x, third = first * second;
  const auto found = first_nonfinite(sum(third + exp(first)));
  REQUIRE(found.has_value());
  CHECK(found->node == first.id());
}

TEST_CASE("finite: what does not reach the loss is not blamed") {
  Tape tape;
  const Var x = tape.input(Array({2}, {0.0, 1.0}));
  const Var unused = log(x), quotient = 1 / x;
  static_cast<void>(unused);
  const auto found = first_nonfinite(sum(quotient));
  REQUIRE(found.has_value());
  CHECK(found->node == quotient.id());
  // an infinity that is meant: the mask of a softmax
  const Var mask = tape.constant(Array({2}, {-infinity, 0}), "mask");
  const Var masked = softmax(x + mask);
  CHECK(!first_nonfinite(sum(square(masked))));
  const Var power = exp(masked * 2000);
  const auto behind = first_nonfinite(sum(power));
  REQUIRE(behind.has_value());
  CHECK(behind->node == power.id());
  // beside a culprit that is reached in another way, the mask is not the one
  const Var both = (x + mask) * log(x * 0 - 1);
  CHECK(message_of(sum(both)).starts_with("log: first made nan"));
}

TEST_CASE("finite: operation and step are named in a recurrence that is recomputed, too") {
  const auto cell = [](Var x, Var h) {
    const Var next = exp(x) + h;
    return std::pair(next, next);
  };
  for (const Recompute& schedule : {Recompute::every(2), Recompute::revolve(2)}) {
    Tape tape;
    const Var x = tape.input(Array({6, 1, 1}, {1, 1, 1000, 1, 1, 1}), "x"),
              h = tape.input(Array({1, 1}, DType::f64), "h");
    const auto run = over_time(cell, x, h, {.recompute = schedule});
    const auto found = first_nonfinite(sum(run.state));
    REQUIRE(found);
    CHECK(found->message.starts_with("exp: first made inf in the forward pass, from finite numbers  [t = 3, node "));
  }
}

TEST_CASE("finite: a rule of the backward pass is named where the forward pass is finite") {
  Tape tape;
  const Var x = tape.input(Array({2}, {4.0, 0.0}), "x");
  const Var y = sqrt(x).named("y");
  const auto found = first_nonfinite(sum(y));
  REQUIRE(found.has_value());
  CHECK(found->node == y.id());
  CHECK(found->backward);
  CHECK(found->message ==
        "sqrt (y): its reverse rule first made inf at (1) in the backward pass, from finite numbers  [node 1]");
  // 0 times infinity: d(y^2) = 2 y dy, and dy is infinite where y is 0
  const auto product = first_nonfinite(sum(square(y)));
  REQUIRE(product.has_value());
  CHECK(product->node == y.id());
  CHECK(product->backward);
  CHECK(!std::isfinite(product->value));
}

TEST_CASE("finite: an input and a parameter that are not finite themselves are named") {
  Lstm lstm;
  lstm.xs.set_flat(5, nan);  // of t = 3
  Tape tape;
  CHECK(message_of(lstm.loss(tape, lstm.packed)) == "constant (data) holds nan at (2, 0, 1)  [node 0]");

  Lstm broken;
  Array W = broken.packed.W_h.value().copy();
  W.set_flat(13, infinity);
  broken.packed.W_h.assign(W);
  tape.clear();
  CHECK(message_of(broken.loss(tape, broken.packed))
            .starts_with("parameter (lstm.W_h) holds inf at (1, 1)  [lstm, node "));
}

TEST_CASE("finite: gate and time step of an overflow in an LSTM are named") {
  // float32 ends at 3.4e38. In one gate, x of t = 2 meets weights that make the product infinite, and h of t = 1, about 0.76, weights that make
  // the other product -infinite: their sum is NaN. (An infinite preactivation alone does no harm: the sigmoid is 1.)
  const auto planted = [](std::int64_t block, auto form) {
    Lstm lstm;
    Array W = lstm.packed.W_x.value().copy(), U = lstm.packed.W_h.value().copy(), xs({5, 1, 2});
    for (std::size_t row = 0; row < 3; ++row)
      for (auto column = static_cast<std::size_t>(3 * block), end = column + 3; column < end; ++column) {
        if (row < 2) W.set_flat(row * 12 + column, 1e20);
        U.set_flat(row * 12 + column, -3e38);
      }
    xs.set_flat(2, 1e30);
    lstm.xs = xs;
    lstm.packed.W_x.assign(W);
    lstm.packed.W_h.assign(U);
    lstm.packed.b.assign(Array::filled({12}, 5));
    Tape tape;
    return message_of(lstm.loss(tape, form(lstm.packed)));
  };
  const auto textbook_form = [](const LSTM& packed) { return textbook::LSTM(packed); };
  const auto packed_form = [](const LSTM& packed) { return packed; };
  const std::vector<std::pair<std::string, std::string>> gates{
      {"input gate", "i"}, {"forget gate", "f"}, {"candidate", "g"}, {"output gate", "o"}};
  for (std::int64_t block = 0; block < 4; ++block) {
    const std::string gate = gates[static_cast<std::size_t>(block)].first,
                      letter = gates[static_cast<std::size_t>(block)].second;
    INFO(gate);
    CHECK(planted(block, textbook_form)
              .starts_with("matmul, on the way to " + letter +
                           ": first made inf at (0, 0) in the forward pass, from finite numbers  [lstm/" + gate +
                           ", t = 2, node "));
    CHECK(planted(block, packed_form)
              .starts_with("affine (z), on the way to " + letter + ": first made nan at (0, " +
                           std::to_string(3 * block) +
                           ") in the forward pass, from finite numbers  [lstm, t = 2, node "));
  }
}

TEST_CASE("finite: gate and time step of a backward pass that overflows in an LSTM are named") {
  // sqrt of |h| at t = 2 only: h is 0 there, because the state before and the input are
  Generator generator(1);
  const LSTM cell({.input = 2, .hidden = 3}, generator);
  Tape tape;
  const auto with_root = [&](Var x, LSTMState before) -> std::pair<Var, LSTMState> {
    const auto [h, state] = cell(x, before);
    const Scope scope(tape, "root");
    return {sqrt(square(h)).named("r"), state};
  };
  Array xs({3, 1, 2}, DType::f32);
  xs.set_flat(4, 1);
  const auto sequence = over_time(with_root, tape.constant(xs), cell.zero_state(tape, 1));
  CHECK(message_of(sum(sequence.outputs[1]))
            .starts_with("sqrt (r): its reverse rule first made inf at (0, 0) in the backward pass, from finite "
                         "numbers  [root, t = 2, node "));
}

TEST_CASE("finite: fit stops where NaN or infinity arises and keeps the last good parameters and save") {
  const std::filesystem::path save = std::filesystem::temp_directory_path() / "unroll-finite-save";
  for (const bool forward : {true, false}) {
    std::filesystem::remove(save);
    const Parameter w("w", Array({2}, {1.0, 2.0}));
    SGD sgd({w}, {.learning_rate = 0.125});
    std::vector<double> after;
    const FitLoss loss = [&](Tape& tape, std::int64_t update) {
      const Var square_sum = sum(square(tape.use(w)));
      if (update < 3) return square_sum;
      const Step step(tape, 7);
      const Scope scope(tape, "planted");
      return forward ? square_sum + sum(log(tape.use(w) * 0)) : square_sum + sum(sqrt(tape.use(w) * 0));
    };
    CHECK_THROWS_WITH_AS(
        fit(loss, sgd,
            {.updates = 9,
             .callbacks = {[&](const FitState&) {
               after = {w.value().flat(0), w.value().flat(1)};
               return true;
             }},
             .save = save,
             .save_every = 1}),
        forward
            ? "update 4: log: first made -inf at (0) in the forward pass, from finite numbers  [planted, t = 7, node 5]"
            : "update 4: sqrt: its reverse rule first made inf at (0) in the backward pass, from finite numbers  "
              "[planted, t = 7, node 5]",
        NonFiniteError);
    CHECK(same_bits(w.value(), Array({2}, after)));
    CHECK(after[0] == 0.75 * 0.75 * 0.75);
    const SafeTensors saved = load_safetensors(save);
    CHECK(saved.metadata.at("update") == "3");
    CHECK(same_bits(*saved.find("parameter w"), w.value()));
  }
  std::filesystem::remove(save);
}

TEST_CASE("finite: gradients that are finite each and too large together are told apart") {
  const Parameter w("w", Array({1}, {1.0}));
  SGD sgd({w});
  CHECK_THROWS_WITH_AS(fit([&](Tape& tape, std::int64_t) { return sum(tape.use(w) * 1e200); }, sgd, {.updates = 1}),
                       "update 1: the norm of all gradients is inf, though each of them is finite", NonFiniteError);
}

}  // namespace unroll::test
