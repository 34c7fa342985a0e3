#include <unroll/cli/commands.hpp>
#include <unroll/cli/interruption.hpp>
#include <unroll/cli/output.hpp>
#include <unroll/cli/progress.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/core/array/whole_file.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/optimizers.hpp>

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

enum class Ending { finished, interrupted, not_finite };

// Trains until the end, the time limit, a signal, or a loss that is no number.
Ending learn(const CharacterModel& model, const TextStreams& text, const TrainOptions& o) {
  Adam adam(model.parameters(), {.learning_rate = o.learning_rate});
  Tape tape;
  Progress progress;
  TrainingState state{.epochs = o.epochs};
  std::int64_t done_windows = 0;
  const auto windows = static_cast<double>(o.epochs * text.windows());
  const auto limit = static_cast<double>(o.time_limit);
  for (state.epoch = 1; state.epoch <= o.epochs; ++state.epoch) {
    CharacterModel::CarriedState carried = model.zero_state(text.streams());
    for (std::int64_t i = 0; i < text.windows(); ++i) {
      // The rate falls in a straight line, so that the end of the training settles what its beginning found.
      adam.options.learning_rate = o.learning_rate * (1 - state.fraction);

      tape.clear();
      const TextWindow window = text.window(i);
      const Var loss = model.loss(tape, window, carried);
      Gradients gradients = backward(loss);
      state.gradient_norm = clip_by_norm(gradients, o.clip);
      if (!std::isfinite(loss.item()) || !std::isfinite(state.gradient_norm)) return Ending::not_finite;
      adam.step(gradients);

      const double bits = loss.item() / std::numbers::ln2;
      state.bits_per_character += (bits - state.bits_per_character) * (done_windows == 0 ? 1 : 0.1);  // a moving mean
      state.characters += static_cast<double>(window.targets.size());
      state.fraction = static_cast<double>(++done_windows) / windows;
      if (o.time_limit > 0) state.fraction = std::clamp(progress.seconds() / limit, state.fraction, 1.0);
      progress.show(state);
      if (interrupted()) return Ending::interrupted;
      if (state.fraction >= 1) return Ending::finished;
    }
  }
  return Ending::finished;
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
  if (o.save.empty()) {
    fmt::print(stderr, "Interrupted. Nothing is saved: --save MODEL would have kept what was learned until now.\n");
  } else {
    save(o.save, model);
    fmt::print(stderr, "Interrupted. What was learned until now is saved: {}\n", o.save);
  }
  return 128 + Interruption::signal();
}

}  // namespace

int run_train(const TrainOptions& o) {
  const Material material(read_text(o.text), o);
  if (!o.save.empty()) require_writable(o.save);
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

  const Ending ending = interrupted() ? Ending::interrupted : learn(model, material.learned, o);
  if (ending == Ending::not_finite) {
    fmt::print(stderr,
               "The loss or a gradient is no longer a finite number: try a smaller --learning-rate or --clip.\n");
    return check_failed;
  }
  if (ending == Ending::interrupted) return after_interruption(model, o);

  const double final = bits_per_character(model, material.measured);
  const std::string sample = write(model, material, o);
  std::optional<double> held_out;
  if (material.held_out) held_out = bits_per_character(model, *material.held_out);
  if (!o.save.empty()) save(o.save, model);

  if (o.json) {
    Json result{{"characters", material.text.size()},
                {"initial_bits_per_character", initial},
                {"final_bits_per_character", final},
                {"sample", sample}};
    if (held_out) result["held_out_bits_per_character"] = *held_out;
    print_json(result);
    return done;
  }
  fmt::print("\nAfter training: {:.2f} bits per character", final);
  if (held_out) fmt::print(" ({:.2f} on what was held out)", *held_out);
  fmt::print(". It writes:\n\n{}\n", sample);
  if (!o.save.empty()) fmt::print("\nsaved     {} (`unroll sample` lets it write more)\n", o.save);
  return done;
}

}  // namespace unroll::cli
