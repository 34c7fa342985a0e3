#include <unroll/cli/commands.hpp>
#include <unroll/cli/interruption.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/hash.hpp>
#include <unroll/core/array/utf8.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/optim/fit.hpp>
#include <unroll/optim/flow_monitor.hpp>
#include <unroll/optim/optimizers.hpp>
#include <unroll/optim/progress_line.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace unroll::cli {

namespace {

// From so many characters on, the last twentieth is kept from the model, to see what it makes of a text that it did not learn.
constexpr std::size_t enough_to_hold_out = 10'000;
constexpr std::size_t held_out_part = 20;
// To measure the bits per character of a very long text, its beginning is enough.
constexpr std::size_t enough_to_measure = 200'000;

std::u32string read_text(const std::string& file) {
  std::u32string text;
  try {
    text = decode_utf8(read_whole_file(file));
  } catch (const Utf8Error& e) {
    throw FileError(
        fmt::format("{} is not UTF-8 text: byte {} is wrong. Convert it first; for an older Korean text: "
                    "iconv -f CP949 -t UTF-8 {} > new.txt",
                    file, e.position, file));
  }
  if (!text.empty() && text[0] == 0xFEFF) text.erase(0, 1);  // a byte order mark is not part of the text
  if (text.empty()) throw FileError(fmt::format("{} is empty: give a text to learn from", file));
  if (text.size() < 2) throw FileError(fmt::format("{} has one character: give a longer text", file));
  return text;
}

// What the samples begin with: the first word of the text.
std::u32string first_word(const std::u32string& text) {
  constexpr std::size_t longest = 12;
  const std::size_t end = text.find_first_of(U" \t\r\n");
  return text.substr(0, std::clamp<std::size_t>(std::min(end, text.size()), 1, longest));
}

// The text in the parts that training needs.
struct Material {
  explicit Material(std::u32string whole, const TrainOptions& o)
      : text(std::move(whole)),
        vocabulary(text),
        prompt(first_word(text)),
        held_out_size(text.size() >= enough_to_hold_out ? text.size() / held_out_part : 0),
        learned(symbols(0, text.size() - held_out_size), o.batch, o.steps),
        measured(symbols(0, std::min(text.size() - held_out_size, enough_to_measure)), o.batch, o.steps) {
    if (held_out_size > 0)
      held_out.emplace(symbols(text.size() - held_out_size, std::min(held_out_size, enough_to_measure)), 1, o.steps);
  }

  std::vector<std::int64_t> symbols(std::size_t from, std::size_t count) const {
    return vocabulary.encode(std::u32string_view(text).substr(from, count));
  }

  std::u32string text;
  Vocabulary vocabulary;
  std::u32string prompt;
  std::size_t held_out_size;
  TextStreams learned, measured;
  std::optional<TextStreams> held_out;
};

bool interrupted() { return Interruption::signal() != 0; }

// What a checkpoint must agree in with the training that goes on from it.
std::string fingerprint(const Material& material, const TrainOptions& o) {
  return fmt::format(
      "text {:016x} of {} characters, cell {}, reset {}, hidden {}, layers {}, steps {}, batch {}, epochs {}, "
      "learning rate {}, clip {}, seed {}",
      fnv1a(encode_utf8(material.text)), material.text.size(), to_string(o.cell),
      o.reset == Reset::before ? "before" : "after", o.hidden, o.layers, o.steps, o.batch, o.epochs, o.learning_rate,
      o.clip, o.seed);
}

// Trains until the end, the time limit, or a signal.
FitResult learn(const CharacterModel& model, const Material& material, const TrainOptions& o, FlowMonitor& monitor) {
  const TextStreams& text = material.learned;
  const std::int64_t windows = text.windows();
  Adam adam(model.parameters(), {.learning_rate = o.learning_rate});
  CharacterModel::CarriedState carried;
  double characters = 0;
  const auto loss = [&](Tape& tape, std::int64_t update) {
    if (update % windows == 0) carried = model.zero_state(text.streams());
    const TextWindow window = text.window(update % windows);
    characters += static_cast<double>(window.targets.size());
    return model.loss(tape, window, carried);
  };

  // With a time limit, time may be further on than the windows are. Interrupted runs count together.
  ProgressLine line;
  double spent = 0, clock = 0;
  const auto further = [&](double fraction) {
    if (o.time_limit == 0) return fraction;
    return std::clamp(spent / static_cast<double>(o.time_limit), fraction, 1.0);
  };
  const auto after_update = [&](const FitState& state) {
    if (state.update == state.resumed_from + 1 && state.resumed_from > 0)
      fmt::print(stderr, "Going on from {}: {} of {} windows are learned.\n", o.checkpoint, state.resumed_from,
                 state.updates);
    const double now = line.seconds();
    spent += now - clock;
    clock = now;
    const double fraction = further(state.fraction());
    if (line.due(fraction))
      line.print(fraction, static_cast<double>(state.resumed_from) / static_cast<double>(state.updates),
                 fmt::format("epoch {:>3} of {}  ", (state.update - 1) / windows + 1, o.epochs),
                 fmt::format("{:.2f} bits/char  gradient {:<5.2f}  {:.0f} char/s", state.mean_loss / std::numbers::ln2,
                             state.gradient_norm, characters / now));
    return !interrupted() && fraction < 1;
  };
  FitOptions options{
      .updates = o.epochs * windows,
      .clip = o.clip,
      // The rate falls in a straight line, so that the end of the training settles what its beginning found.
      .schedule = [&](double fraction) { return 1 - further(fraction); },
      .callbacks = {after_update},
      .save = o.checkpoint,
      .save_every = o.save_every,
      .fingerprint = fingerprint(material, o),
      .memory = {.states = {{"text", &carried}}, .numbers = {{"seconds", &spent}}}};
  monitor.remember_in(options.memory);
  return fit(monitor.watch(loss), adam, options);
}

// What the gradient does in the trained model, on the first window of the text.
Judgement judgement(const CharacterModel& model, const Material& material, const FlowMonitor& monitor) {
  Tape tape;
  CharacterModel::CarriedState state = model.zero_state(material.learned.streams());
  return judge(flow_evidence(model.loss(tape, material.learned.window(0), state)), monitor.beginning());
}

std::string write(const CharacterModel& model, const Material& material, const TrainOptions& o) {
  return encode_utf8(material.prompt + sample(model, material.prompt, {.length = 300, .seed = o.seed}));
}

void print_plan(const Material& material, const CharacterModel& model, const TrainOptions& o) {
  fmt::print("text      {}: {} characters, {} different\n", o.text, material.text.size(), material.vocabulary.size());
  if (material.held_out_size > 0)
    fmt::print("          the last {} are held out: the model never learns from them\n", material.held_out_size);
  fmt::print("model     embedding {}, {} x {} of {} units, readout: {} parameters\n", model.options.embedding, o.layers,
             to_string(o.cell), o.hidden, model.parameter_count());
  fmt::print(
      "training  {} epochs of {} windows: {} streams side by side, {} steps each (Adam, rate {:g} falling to 0)\n",
      o.epochs, material.learned.windows(), material.learned.streams(), o.steps, o.learning_rate);
}

int after_interruption(const CharacterModel& model, const TrainOptions& o) {
  if (!o.checkpoint.empty()) fmt::print(stderr, "Interrupted. The same command goes on from here: {}\n", o.checkpoint);
  if (!o.save.empty()) {
    save(o.save, model);
    fmt::print(stderr, "Interrupted. What was learned until now is saved: {}\n", o.save);
  } else if (o.checkpoint.empty()) {
    fmt::print(stderr, "Interrupted. Nothing is saved: --save MODEL would have kept what was learned until now.\n");
  }
  return 128 + Interruption::signal();
}

}  // namespace

int run_train(const TrainOptions& o) {
  const Material material(read_text(o.text), o);
  if (!o.save.empty()) require_writable(o.save);
  if (!o.checkpoint.empty()) require_writable(o.checkpoint);
  Generator generator(o.seed);
  const CharacterModel model({.cell = o.cell, .hidden = o.hidden, .layers = o.layers, .reset = o.reset},
                             material.vocabulary, generator);
  const bool talk = !o.json;
  const Interruption interruption;

  if (talk) print_plan(material, model, o);
  const double initial = bits_per_character(model, material.measured, interrupted);
  if (talk)
    fmt::print("\nBefore training: {:.2f} bits per character. It writes:\n\n{}\n\n", initial,
               write(model, material, o));
  std::fflush(stdout);

  if (interrupted()) {
    fmt::print(stderr, "Interrupted before anything was learned. No file was changed.\n");
    return 128 + Interruption::signal();
  }
  FitResult trained;
  FlowMonitor monitor;
  try {
    trained = learn(model, material, o, monitor);
  } catch (const NonFiniteError& e) {
    fmt::print(stderr,
               "The loss or a gradient is no longer a finite number: try a smaller --learning-rate or --clip.\n{}\n",
               e.what());
    return check_failed;
  }
  if (interrupted()) return after_interruption(model, o);
  if (trained.resumed_from == trained.update)
    fmt::print(stderr, "{} is at the end of this training: nothing was left to learn.\n", o.checkpoint);

  const double final = bits_per_character(model, material.measured);
  const std::string sample = write(model, material, o);
  std::optional<double> held_out;
  if (material.held_out) held_out = bits_per_character(model, *material.held_out);
  const Judgement flow = judgement(model, material, monitor);
  if (!o.save.empty()) save(o.save, model);

  if (o.json) {
    Json result{{"characters", material.text.size()},
                {"initial_bits_per_character", initial},
                {"final_bits_per_character", final},
                {"sample", sample},
                {"verdict", to_string(flow.verdict)}};
    if (held_out) result["held_out_bits_per_character"] = *held_out;
    print_json(result);
    return done;
  }
  fmt::print("\nAfter training: {:.2f} bits per character", final);
  if (held_out) fmt::print(" ({:.2f} on what was held out)", *held_out);
  fmt::print(". It writes:\n\n{}\n\ngradient  {}: {}\n", sample, to_string(flow.verdict), flow.grounds.front());
  if (flow.verdict == Verdict::vanishing || flow.verdict == Verdict::saturated)
    fmt::print("          This limits how far back it can learn, and need not be a fault: docs/gradient-flow.md.\n");
  if (!o.save.empty()) fmt::print("saved     {} (`unroll sample` lets it write more)\n", o.save);
  return done;
}

}  // namespace unroll::cli
