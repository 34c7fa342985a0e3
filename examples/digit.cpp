#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/scores.hpp>

#include <unroll/layers/linear.hpp>
#include <unroll/layers/symbols.hpp>
#include <unroll/optim/optimizers.hpp>

#include <fmt/format.h>

// One-to-one: one picture in, one class out. There is no time here (T = 1): the shape that all others grow from.
namespace unroll::examples {

namespace {

// Two dense layers: 64 pixels -> 32 features -> 10 logits.
class Network : public Module {
 public:
  explicit Network(Generator& generator)
      : Module("network"),
        features({.input = 64, .output = 32, .name = "features"}, generator),
        classes({.input = 32, .output = 10, .name = "classes"}, generator) {
    add(features);
    add(classes);
  }

  Var operator()(Var pixels) const {
    const Var seen = tanh(features(pixels)).named("features");
    return classes(seen).named("logits");
  }

  Linear features, classes;
};

std::vector<std::int64_t> labels_of(std::span<const DigitImage> images) {
  std::vector<std::int64_t> labels;
  for (const DigitImage& image : images) labels.push_back(image.label);
  return labels;
}

Var loss_of(const Network& network, Tape& tape, std::span<const DigitImage> images) {
  const Var logits = network(tape.constant(pixels_of(images), "pixels"));
  return cross_entropy(logits, labels_of(images)).named("L");
}

}  // namespace

Outcome digit(const RunOptions& options) {
  Generator generator(options.seed);
  const Network network(generator);

  const std::span<const DigitImage> learned = digits_to_learn();
  const auto loss = [&](Tape& tape, std::int64_t) {
    std::vector<DigitImage> batch;
    for (int i = 0; i < 64; ++i) batch.push_back(learned[generator.below(learned.size())]);
    return loss_of(network, tape, batch);
  };
  Adam adam(network.parameters(), {.learning_rate = 0.003});
  fit(loss, adam, {.updates = options.updates, .callbacks = options.callbacks});

  const std::span<const DigitImage> held_out = digits_held_out();
  const std::vector<std::int64_t> labels = labels_of(held_out);
  Tape tape;
  const std::vector<std::int64_t> answers = likeliest(network(tape.constant(pixels_of(held_out))).value());
  std::vector<Picture> mistakes;
  for (std::size_t i = 0; i < labels.size() && mistakes.size() < 4; ++i)
    if (answers[i] != labels[i])
      mistakes.push_back(
          {.pixels = held_out[i].pixels, .caption = fmt::format("a {}, not a {}", labels[i], answers[i])});
  return {.score_name = fmt::format("accuracy on {} held-out digits", labels.size()),
          .score = accuracy(answers, labels),
          .baselines = {{"always the most frequent digit", majority_accuracy(labels_of(learned), labels)}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = "some that it took for another digit:\n" + side_by_side(mistakes),
          .picture = [network](Tape& t) { return loss_of(network, t, digits_held_out().first(1)); }};
}

}  // namespace unroll::examples
