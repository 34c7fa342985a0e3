#include "layers_support.hpp"

#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>

// The whole way: symbols in, an LSTM over time, a loss, BPTT, an optimiser; and the answer of the trained network.

namespace unroll::test {

namespace {

const std::string alphabet = "helo";

std::vector<std::int64_t> symbols_of(const std::string& text) {
  std::vector<std::int64_t> result;
  for (const char letter : text) result.push_back(static_cast<std::int64_t>(alphabet.find(letter)));
  return result;
}

struct Network {
  explicit Network(Generator& generator)
      : embedding({.vocabulary = 4, .dimension = 4}, generator),
        lstm({.input = 4, .hidden = 8}, generator),
        readout({.input = 8, .output = 4, .name = "readout"}, generator) {}

  std::vector<Var> logits(Tape& tape, const std::string& text) const {
    std::vector<Var> xs, result;
    for (const std::int64_t symbol : symbols_of(text)) xs.push_back(embedding(tape, std::vector{symbol}));
    for (const Var h : over_time(lstm, xs, lstm.zero_state(tape, 1)).outputs) result.push_back(readout(h));
    return result;
  }
  std::string answer(const std::string& text) const {
    Tape tape;
    std::string result;
    for (const Var step : logits(tape, text)) {
      const auto scores = step.value().span<float>();
      result += alphabet[static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())];
    }
    return result;
  }
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all;
    for (const Module* part : std::initializer_list<const Module*>{&embedding, &lstm, &readout})
      all.insert(all.end(), part->parameters().begin(), part->parameters().end());
    return all;
  }

  Embedding embedding;
  LSTM lstm;
  Linear readout;
};

// Trains on one pair of texts and returns the loss of every step.
std::vector<double> train(const Network& network, const std::string& text, const std::string& next, int steps) {
  Adam adam(network.parameters(), {.learning_rate = 0.05});
  std::vector<double> losses;
  Tape tape;
  for (int step = 0; step < steps; ++step) {
    tape.clear();
    const Var loss = cross_entropy(network.logits(tape, text), symbols_of(next));
    losses.push_back(loss.item());
    Gradients gradients = backward(loss);
    clip_by_norm(gradients, 1);
    adam.step(gradients);
  }
  return losses;
}

}  // namespace

TEST_CASE("an LSTM trained on hello answers ello to hell") {
  Generator generator(1);
  const Network network(generator);
  const std::vector<double> losses = train(network, "hell", "ello", 100);
  CHECK(losses.front() > 1);
  CHECK(losses.back() < 0.05);
  CHECK(network.answer("hell") == "ello");
  // the two l are told apart by what came before them
  CHECK(network.answer("hel") == "ell");
}

TEST_CASE("an LSTM learns one answer from any seed") {
  for (std::uint64_t seed = 2; seed < 8; ++seed) {
    Generator generator(seed);
    const Network network(generator);
    train(network, "hell", "ello", 150);
    INFO("seed ", seed);
    CHECK(network.answer("hell") == "ello");
  }
}

TEST_CASE("equal seeds train to equal bits") {
  Generator first_seed(3), second_seed(3);
  const Network first(first_seed), second(second_seed);
  CHECK(train(first, "hell", "ello", 30) == train(second, "hell", "ello", 30));
  for (std::size_t i = 0; i < first.parameters().size(); ++i)
    CHECK(same_bits(first.parameters()[i].value(), second.parameters()[i].value()));
}

}  // namespace unroll::test
