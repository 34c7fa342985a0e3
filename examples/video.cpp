#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>
#include <unroll/examples/moving_shapes.hpp>
#include <unroll/examples/scores.hpp>

#include <unroll/layers/gru.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/symbols.hpp>
#include <unroll/optim/optimizers.hpp>

#include <algorithm>

#include <fmt/format.h>

// Many-to-many, synchronised: every frame of a video gets a label, which shape it shows and where it moves. One frame tells the shape, but
// only memory of the frame before tells the direction.
namespace unroll::examples {

namespace {

std::vector<Video> make_videos(std::size_t count, Generator& generator) {
  std::vector<Video> videos(count);
  for (Video& video : videos) video = make_video(generator);
  return videos;
}

// Looks at each frame by a dense layer, remembers by a GRU, and answers with one of 16 labels. Without memory, the GRU begins anew at every
// frame: the same network in all else.
class Network : public Module {
 public:
  Network(bool memory, Generator& generator)
      : Module("video network"),
        look({.input = Video::side * Video::side, .output = 96, .name = "look"}, generator),
        gru({.input = 96, .hidden = 64}, generator),
        readout({.input = 64, .output = Video::labels_in_all, .name = "readout"}, generator),
        memory_(memory) {
    for (const Module* part : std::initializer_list<const Module*>{&look, &gru, &readout}) add(*part);
  }

  std::pair<Var, HiddenState> operator()(Var frame, HiddenState before) const {
    const Var seen = relu(look(frame)).named("seen");
    const auto [h, after] = gru(seen, memory_ ? before : gru.zero_state(frame.tape(), frame.shape()[0]));
    return {readout(h).named("y"), after};
  }

  Linear look;
  GRU gru;
  Linear readout;

 private:
  bool memory_;
};

// The logits of every frame, for videos side by side.
std::vector<Var> logits_of(const Network& network, Tape& tape, const std::vector<Video>& videos,
                           std::size_t length = Video::frames) {
  std::vector<Var> xs;
  for (std::size_t t = 0; t < length; ++t) {
    const Step step(tape, static_cast<std::int64_t>(t) + 1);
    Array x({std::ssize(videos), Video::side * Video::side});
    for (std::size_t row = 0; row < videos.size(); ++row)
      std::copy(videos[row].pixels[t].begin(), videos[row].pixels[t].end(),
                x.span<float>().begin() + static_cast<std::ptrdiff_t>(row * Video::side * Video::side));
    xs.push_back(tape.constant(x, "frame"));
  }
  return over_time(network, xs, network.gru.zero_state(tape, std::ssize(videos))).outputs;
}

// The labels of all videos, step after step.
std::vector<std::int64_t> labels_of(const std::vector<Video>& videos, std::size_t length = Video::frames) {
  std::vector<std::int64_t> labels;
  for (std::size_t t = 0; t < length; ++t)
    for (const Video& video : videos) labels.push_back(video.labels[t]);
  return labels;
}

// The first frame does not count: nothing tells yet where the shape moves.
Var loss_of(const Network& network, Tape& tape, const std::vector<Video>& videos, std::size_t length = Video::frames) {
  std::vector<double> mask(length * videos.size(), 1);
  std::fill_n(mask.begin(), videos.size(), 0);
  return cross_entropy(logits_of(network, tape, videos, length), labels_of(videos, length), mask).named("L");
}

void train(const Network& network, Generator& generator, const RunOptions& options) {
  Adam adam(network.parameters(), {.learning_rate = 0.003});
  fit([&](Tape& tape, std::int64_t) { return loss_of(network, tape, make_videos(32, generator)); }, adam,
      {.updates = options.updates,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = options.callbacks});
}

// The answers for all frames but the first, step after step.
std::vector<std::int64_t> answers_of(const Network& network, const std::vector<Video>& videos) {
  Tape tape;
  std::vector<std::int64_t> answers;
  const std::vector<Var> logits = logits_of(network, tape, videos);
  for (std::size_t t = 1; t < Video::frames; ++t)
    for (const std::int64_t answer : likeliest(logits[t].value())) answers.push_back(answer);
  return answers;
}

}  // namespace

Outcome video(const RunOptions& options) {
  Generator generator(options.seed), held_out_generator(options.seed + 1'000'000);
  const Network network(true, generator), forgetful(false, generator);
  train(network, generator, options);
  RunOptions quietly = options;
  quietly.callbacks = {};
  train(forgetful, generator, quietly);

  const std::vector<Video> held_out = make_videos(500, held_out_generator);
  std::vector<std::int64_t> labels = labels_of(held_out);
  labels.erase(labels.begin(), labels.begin() + std::ssize(held_out));
  const std::vector<std::int64_t> answers = answers_of(network, held_out);
  std::vector<Picture> shown;
  for (std::size_t t = 1; t < 4; ++t) {
    const std::int64_t answer = answers[(t - 1) * held_out.size()];
    shown.push_back({.pixels = held_out.front().pixels[t], .width = Video::side, .caption = video_label(answer)});
  }
  return {.score_name = fmt::format("part of the frames of {} held-out videos with the right shape and direction",
                                    held_out.size()),
          .score = accuracy(answers, labels),
          .baselines = {{"the same network without memory", accuracy(answers_of(forgetful, held_out), labels)},
                        {"always the most frequent label", majority_accuracy(labels, labels)}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = "frames 2, 3 and 4 of a held-out video, and its answers:\n" + side_by_side(shown),
          .picture = [network, held_out](Tape& tape) { return loss_of(network, tape, {held_out.front()}, 3); }};
}

}  // namespace unroll::examples
