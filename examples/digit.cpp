#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/scores.hpp>

#include <unroll/layers/linear.hpp>
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

// Some images as rows of numbers from 0 to 1, and their labels.
struct Batch {
  explicit Batch(const std::vector<DigitImage>& images) : pixels({std::ssize(images), 64}) {
    for (std::size_t row = 0; row < images.size(); ++row) {
      for (std::size_t i = 0; i < 64; ++i) pixels.set_flat(row * 64 + i, images[row].pixels[i] / 16);
      labels.push_back(images[row].label);
    }
  }

  Array pixels;
  std::vector<std::int64_t> labels;
};

Var loss_of(const Network& network, Tape& tape, const Batch& batch) {
  return cross_entropy(network(tape.constant(batch.pixels, "pixels")), batch.labels).named("L");
}

}  // namespace

Outcome digit(const RunOptions& options) {
  Generator generator(options.seed);
  const Network network(generator);

  const std::span<const DigitImage> learned = digits_to_learn();
  const auto loss = [&](Tape& tape, std::int64_t) {
    std::vector<DigitImage> drawn_images;
    for (int i = 0; i < 64; ++i) drawn_images.push_back(learned[generator.below(learned.size())]);
    return loss_of(network, tape, Batch(drawn_images));
  };
  Adam adam(network.parameters(), {.learning_rate = 0.003});
  fit(loss, adam, {.updates = options.updates, .callbacks = options.callbacks});

  const Batch held_out({digits_held_out().begin(), digits_held_out().end()});
  Tape tape;
  const std::vector<std::int64_t> answers = likeliest(network(tape.constant(held_out.pixels)));
  std::string shown;
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i] != held_out.labels[i] && ++wrong <= 2) {
      shown += fmt::format("a {} that was taken for a {}:\n", held_out.labels[i], answers[i]);
      for (const std::string& row : drawn(digits_held_out()[i])) shown += fmt::format("    {}\n", row);
    }
  return {.score_name = fmt::format("accuracy on {} held-out digits", answers.size()),
          .score = accuracy(answers, held_out.labels),
          .baselines = {{"always the most frequent digit",
                         majority_accuracy(Batch({learned.begin(), learned.end()}).labels, held_out.labels)}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = shown,
          .picture = [network](Tape& t) { return loss_of(network, t, Batch({digits_held_out().front()})); }};
}

}  // namespace unroll::examples
