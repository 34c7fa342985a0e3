#include <unroll/unroll.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/text_streams.hpp>
#include <unroll/layers/vocabulary.hpp>

#include "../course.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

using namespace unroll;
using course::section;
using Symbols = std::vector<std::int64_t>;

namespace {

// A file of the project's folder data/: here, in a folder above, or beside the course.
std::string text_of(const std::string& name) {
  std::vector<std::filesystem::path> folders{std::filesystem::path(__FILE__).parent_path() / "../.."};
  for (auto folder = std::filesystem::current_path(); folder != folder.parent_path(); folder = folder.parent_path())
    folders.push_back(folder);
  for (const auto& folder : folders)
    if (std::ifstream file(folder / "data" / name); file) {
      std::ostringstream text;
      text << file.rdbuf();
      return text.str();
    }
  throw std::runtime_error("there is no data/" + name +
                           " here or in a folder above: run this in a clone of the project");
}

//[ model
// A character model: a row of numbers for each character, an LSTM, and a readout with one number for each character that may come next.
struct Model : Module {
  Embedding embedding;
  LSTM lstm;
  Linear readout;

  Model(std::int64_t characters, std::int64_t hidden, Generator& generator)
      : Module("model"),
        embedding({.vocabulary = characters, .dimension = 16}, generator),
        lstm({.input = 16, .hidden = hidden}, generator),
        readout({.input = hidden, .output = characters, .name = "readout"}, generator) {
    add(embedding), add(lstm), add(readout);
  }

  // The logits at every step of a window. `state` goes in, and comes out as it is after the window.
  std::vector<Var> logits(Tape& tape, const TextWindow& window, CarriedState& state) const {
    std::vector<Var> xs, ys;
    for (std::int64_t t = 0; t < window.steps; ++t) {
      const Step step(tape, t + 1);
      xs.push_back(embedding(tape, window.inputs_at(t)).named("x"));
    }
    const LSTMState zero = lstm.zero_state(tape, window.streams);
    const auto run = over_time(lstm, xs, state.empty() ? zero : resumed(zero, state));
    state = carried(run.state);
    for (std::int64_t t = 0; t < window.steps; ++t) {
      const Step step(tape, t + 1);
      ys.push_back(readout(run.outputs[static_cast<std::size_t>(t)]).named("y"));
    }
    return ys;
  }
};
//]

//[ text
struct Text {
  Vocabulary vocabulary;
  Symbols learned, held_out;
};

Text read(const std::string& name) {
  const std::u32string characters = decode_utf8(text_of(name));  // code points, not bytes
  const Vocabulary vocabulary(characters);
  const Symbols all = vocabulary.encode(characters);
  const auto cut = all.begin() + std::ssize(all) * 9 / 10;  // the last tenth is held out
  return {vocabulary, {all.begin(), cut}, {cut, all.end()}};
}
//]

// Some symbols as text that can be printed in a line.
std::string shown(const Text& text, std::span<const std::int64_t> symbols) {
  std::u32string characters;
  for (const std::int64_t symbol : symbols) {
    const char32_t character = text.vocabulary.character(symbol);
    characters += character == U'\n' ? U'/' : character;
  }
  return encode_utf8(characters);
}

//[ baselines
// Bits per character of the held-out text by counting in the learned one: how often each character stands there, alone or after the one before it. One is
// added to each count, so that nothing is impossible.
double counted_bits(const Text& text, bool after_another) {
  const auto context = [&](const Symbols& s, std::size_t i) { return after_another ? s[i - 1] : 0; };
  std::map<std::pair<std::int64_t, std::int64_t>, double> counts;
  std::map<std::int64_t, double> totals;
  for (std::size_t i = 1; i < text.learned.size(); ++i) {
    ++counts[{context(text.learned, i), text.learned[i]}];
    ++totals[context(text.learned, i)];
  }
  double bits = 0;
  for (std::size_t i = 1; i < text.held_out.size(); ++i) {
    const auto c = context(text.held_out, i);
    bits -= std::log2((counts[{c, text.held_out[i]}] + 1) / (totals[c] + static_cast<double>(text.vocabulary.size())));
  }
  return bits / static_cast<double>(text.held_out.size() - 1);
}
//]

//[ train
// 16 streams side by side, 32 steps at a time. The state runs on from window to window; the gradient ends at the edge of each, for every update has a tape
// of its own (truncated BPTT).
void train(const Model& model, const Symbols& text) {
  const TextStreams streams(text, 16, 32);
  CarriedState state;
  const auto loss = [&](Tape& tape, std::int64_t update) {
    const std::int64_t index = update % streams.windows();
    if (index == 0) state.clear();  // back at the beginning of the streams
    const TextWindow window = streams.window(index);
    return cross_entropy(model.logits(tape, window, state), window.targets);
  };
  Adam adam(model.parameters(), {.learning_rate = 0.01});
  fit(loss, adam, {.updates = 300, .clip = 1, .schedule = [](double x) { return 1 - x; }});
}
//]

//[ bits
struct Score {
  double bits;         // what the characters that came cost, each
  double uncertainty;  // what the model expects them to cost: the entropy of its answers
};

Score score(const Model& model, const Symbols& text, double temperature = 1) {
  const TextStreams streams(text, 8, 64);
  CarriedState state;
  double nats = 0, expected = 0;
  for (std::int64_t i = 0; i < streams.windows(); ++i) {
    Tape tape;
    const TextWindow window = streams.window(i);
    const Var logits = concat(model.logits(tape, window, state), 0) / temperature;
    const auto rows = static_cast<double>(window.targets.size());
    nats += rows * cross_entropy(logits, window.targets).item();
    expected -= sum(softmax(logits) * log_softmax(logits)).item();
  }
  const double to_bits = 1 / (std::log(2.0) * static_cast<double>(streams.predictions()));
  return {nats * to_bits, expected * to_bits};
}
//]

//[ context
// Bits for a character after exactly n others, from a zero state: what is further back than n is not seen. Every fourth place of the text is asked.
double bits_after(const Model& model, const Symbols& text, std::size_t n) {
  TextWindow window;
  window.steps = static_cast<std::int64_t>(n);
  Symbols next;
  for (std::size_t place = 32; place < text.size(); place += 4) next.push_back(text[place]);
  window.streams = std::ssize(next);
  for (std::size_t back = n; back >= 1; --back)
    for (std::size_t place = 32; place < text.size(); place += 4) window.inputs.push_back(text[place - back]);
  Tape tape;
  CarriedState zero;
  return cross_entropy(model.logits(tape, window, zero).back(), next).item() / std::log(2.0);
}
//]

// What the model writes after a prompt.
std::string written(const Model& model, const Text& text, const std::u32string& prompt, double temperature) {
  Generator generator(1);
  CarriedState state;
  std::u32string result = prompt;
  Symbols seen = text.vocabulary.encode(prompt);
  while (result.size() < prompt.size() + 200) {
    Tape tape;
    const TextWindow window{.steps = std::ssize(seen), .streams = 1, .inputs = seen, .targets = {}};
    const Var p = softmax(model.logits(tape, window, state).back() / temperature);
    double left = generator.uniform();
    std::int64_t drawn = 0;
    while (drawn + 1 < p.shape()[1] && (left -= p.value().flat(static_cast<std::size_t>(drawn))) >= 0) ++drawn;
    seen = {drawn};
    result += text.vocabulary.character(drawn);
  }
  return encode_utf8(result);
}

//[ lag
struct Training {
  PlotSeries losses;
  Verdict first, last;  // at the first and at the last update
  double error,
      arriving;   // at the last: what is left of the error at the output; what part of it arrives at the first step
  double effect;  // of the first number on the answer: how much the answer rises when that goes from -1 to 1
};

// The same LSTM for both. It reads numbers from -1 to 1, and is asked for the last one and a fifth of the first, which lies `lag` steps back.
Training train_with_lag(std::int64_t lag) {
  Generator data(1), weights(3);
  const LSTM lstm({.input = 1, .hidden = 16, .forget_bias = 0}, weights);
  const Linear readout({.input = 16, .output = 1}, weights);
  std::vector<Parameter> parameters = lstm.parameters();
  parameters.insert(parameters.end(), readout.parameters().begin(), readout.parameters().end());
  const auto answer = [&](Tape& tape, const Array& xs) {
    return readout(over_time(lstm, tape.constant(xs, "x")).state.h);
  };

  Training result{{fmt::format("{} steps back", lag), {}, {}}, {}, {}, 0, 0, 0};
  FlowMonitor monitor({.every = 50, .report = [&](const FlowReading& reading) {
                         if (reading.update == 1) result.first = reading.judgement.verdict;
                         return true;
                       }});
  const auto loss = [&](Tape& tape, std::int64_t) {
    Array xs({lag + 1, 32, 1}), right({32, 1});
    for (std::size_t i = 0; i < xs.size(); ++i) xs.set_flat(i, data.uniform(-1, 1));
    for (std::size_t b = 0; b < 32; ++b) right.set_flat(b, xs.flat(xs.size() - 32 + b) + 0.2 * xs.flat(b));
    return mse(answer(tape, xs), tape.constant(right));
  };
  const auto record = [&](const FitState& state) {
    result.losses.xs.push_back(static_cast<double>(state.update));
    result.losses.ys.push_back(state.mean_loss);
    return true;
  };
  Adam adam(parameters, {.learning_rate = 0.01});
  fit(monitor.watch(loss), adam,
      {.updates = 801,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = {record, monitor.callback()}});
  const FlowReading& end = *monitor.latest();
  result.last = end.judgement.verdict;
  result.error = end.layers[0].error / monitor.beginning().error;
  result.arriving = end.layers[0].arriving;

  Array low({lag + 1, 1, 1}), high = low.copy();
  low.set_flat(0, -1), high.set_flat(0, 1);
  Tape tape;
  result.effect = answer(tape, high).item() - answer(tape, low).item();
  return result;
}
//]

}  // namespace

int main() {
  section("Text as numbers");
  //[ numbers
  const std::string korean = "밤 기차";
  fmt::print("{}: {} bytes, {} characters\n\n", korean, korean.size(), decode_utf8(korean).size());
  const Text english = read("night-train.txt"), hangul = read("night-train-ko.txt");
  for (const auto& [name, text] : {std::pair{"English", &english}, {"Korean", &hangul}})
    fmt::print("{:<8} {:>6} characters to learn from, {:>5} held out, {:>3} different ones\n", name,
               text->learned.size(), text->held_out.size(), text->vocabulary.size());
  //]

  section("Streams and windows");
  //[ windows
  const TextStreams streams(english.learned, 16, 32);
  fmt::print("{} streams, {} windows\n", streams.streams(), streams.windows());
  for (const std::int64_t index : {0, 1}) {
    const TextWindow window = streams.window(index);
    for (const std::size_t stream : {0, 1}) {
      Symbols in, out;
      for (std::size_t t = 0; t < 32; ++t)
        in.push_back(window.inputs[t * 16 + stream]), out.push_back(window.targets[t * 16 + stream]);
      fmt::print("\nwindow {}, stream {}   in  |{}|\n                     out |{}|\n", index, stream,
                 shown(english, in), shown(english, out));
    }
  }
  //]

  section("What is to be beaten");
  //[ beaten
  fmt::print("{:<10}{:>14}{:>14}{:>10}\n", "", "all the same", "frequencies", "pairs");
  for (const auto& [name, text] : {std::pair{"English", &english}, {"Korean", &hangul}})
    fmt::print("{:<10}{:>14.1f}{:>14.1f}{:>10.1f}\n", name, std::log2(text->vocabulary.size()),
               counted_bits(*text, false), counted_bits(*text, true));
  //]

  section("Training");
  //[ training
  Generator generator(1);
  const Model model(english.vocabulary.size(), 48, generator), korean_model(hangul.vocabulary.size(), 48, generator);
  fmt::print("{:<10}{:>10}{:>12}{:>12}\n", "", "before", "learned", "held out");
  for (const auto& [name, network, text] :
       {std::tuple{"English", &model, &english}, {"Korean", &korean_model, &hangul}}) {
    const double before = score(*network, text->held_out).bits;
    train(*network, text->learned);
    fmt::print("{:<10}{:>10.1f}{:>12.1f}{:>12.1f}\n", name, before, score(*network, text->learned).bits,
               score(*network, text->held_out).bits);
  }
  //]

  section("What memory is worth");
  //[ memory
  PlotSeries lstm{"LSTM", {}, {}}, pairs{"counts of pairs", {1, 32}, {}};
  for (const std::size_t n : {1, 2, 4, 8, 16, 32}) {
    lstm.xs.push_back(static_cast<double>(n)), lstm.ys.push_back(bits_after(model, english.held_out, n));
    fmt::print("after {:>2} characters: {:.1f} bits\n", n, lstm.ys.back());
  }
  pairs.ys = {counted_bits(english, true), counted_bits(english, true)};
  draw({.title = "The next character, held out",
        .x_label = "characters that are seen before it",
        .y_label = "bits per character",
        .log_x = true,
        .series = {lstm, pairs},
        .id = "memory"},
       "memory.svg");
  //]

  section("Writing");
  //[ writing
  fmt::print("{:>13}{:>16}{:>26}\n", "temperature", "its uncertainty", "bits of the held-out text");
  std::ofstream file("written.txt");
  for (const double temperature : {0.25, 0.5, 1.0, 2.0}) {
    const Score at = score(model, english.held_out, temperature);
    fmt::print("{:>13}{:>16.1f}{:>26.1f}\n", temperature, at.uncertainty, at.bits);
    file << "temperature " << temperature << "\n\n" << written(model, english, U"The train ", temperature) << "\n\n";
  }
  //]

  section("Converged or vanished?");
  //[ verdict
  const Training near = train_with_lag(3), far = train_with_lag(30);
  fmt::print("{:<15}{:>9}{:>9}{:>9}{:>9}\n", "loss at update", 1, 100, 400, 800);
  for (const Training* t : {&near, &far})
    fmt::print("{:<15}{:>9.2f}{:>9.2f}{:>9.2f}{:>9.2f}\n", t->losses.label, t->losses.ys[0], t->losses.ys[99],
               t->losses.ys[399], t->losses.ys[799]);
  fmt::print("\n{:<15}{:>11}{:>12}{:>13}{:>10}{:>29}\n", "", "update 1", "update 801", "error left", "arrives",
             "effect of the first number");
  for (const Training* t : {&near, &far})
    fmt::print("{:<15}{:>11}{:>12}{:>13.1f}{:>10.1f}{:>29.1f}\n", t->losses.label, to_string(t->first),
               to_string(t->last), t->error, t->arriving, std::abs(t->effect));
  //]
  draw({.title = "Two trainings",
        .x_label = "update",
        .y_label = "loss",
        .y_range = {{0, 0.4}},
        .series = {near.losses, far.losses},
        .id = "losses"},
       "losses.svg");

  section("The model on a sentence");
  //[ sentence
  const std::u32string seen = U"the trai";
  Tape tape, rows;
  std::vector<Var> xs;
  for (const char32_t character : seen) {
    const Step step(tape, std::ssize(xs) + 1);
    const Symbols symbol = english.vocabulary.encode({&character, 1});
    xs.push_back(
        tape.constant(model.embedding(rows, symbol).value().copy(), fmt::format("'{}'", encode_utf8({&character, 1}))));
  }
  const auto run = over_time(model.lstm, xs, model.lstm.zero_state(tape, 1));
  const Step last(tape, std::ssize(xs));
  const Var loss =
      cross_entropy(model.readout(run.outputs.back()).named("y"), english.vocabulary.encode(U"n")).named("L");
  const Gradients g = backward(loss, {.keep = Keep::all, .flows = true});
  render(tape, "sentence.svg", {.level = Level::cells, .gradients = &g, .values = ValueView::none});
  fmt::print("after \"the trai\": an n with probability {:.1f}\n", std::exp(-loss.item()));
  //]
}
