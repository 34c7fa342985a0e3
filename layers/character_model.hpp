#pragma once

#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/state.hpp>
#include <unroll/layers/text_streams.hpp>
#include <unroll/layers/vocabulary.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The sizes of a character model.
struct CharacterModelOptions {
  CellKind cell = CellKind::lstm;                         // the kind of its recurrent layers
  std::int64_t embedding = 32, hidden = 128, layers = 1;  // numbers for each character, units of a layer, layers
  Reset reset = Reset::before;                            // GRU
};

// A model that reads a text character by character and says at each step what may come next (Graves 2013; Karpathy 2015): an embedding of
// the characters, recurrent layers, and a linear readout of one number (logit) for each character of the vocabulary. float32.
class CharacterModel : public Module {
 public:
  // A state that outlives the tape: copies of h (and c) of each layer, from below.
  using CarriedState = unroll::CarriedState;

  // A model of a vocabulary, its weights drawn from the generator.
  CharacterModel(const CharacterModelOptions& options, Vocabulary vocabulary, Generator& generator);

  // Zeros for a batch of streams.
  CarriedState zero_state(std::int64_t streams) const;
  // Records a window of text and gives the loss, the mean cross-entropy in nats. `state` goes in as constants, so that gradients end at the
  // edge of the window (truncated BPTT), and comes out as it is after the window.
  Var loss(Tape& tape, const TextWindow& window, CarriedState& state) const;
  // Records one step of one stream and gives the logits (1, characters); `state` as above.
  Var logits(Tape& tape, std::int64_t symbol, CarriedState& state) const;

  CharacterModelOptions options;  // as given
  Vocabulary vocabulary;          // the characters that it knows

 private:
  RecurrentStack::State recorded(Tape& tape, const CarriedState& state) const;

  Embedding embedding_;
  RecurrentStack cell_;
  Linear readout_;
};

// How well a model predicts a text: the mean of -log2 of the probability that it gave to the character that came. `stop` is asked after
// each window; when it says true, the answer is of what was read until then.
double bits_per_character(
    const CharacterModel& model, const TextStreams& text, const std::function<bool()>& stop = [] { return false; });

// How a model writes.
struct SampleOptions {
  std::int64_t length = 200;  // characters after the prompt
  // 1 draws with the model's own probabilities, less prefers what is likely; 0 always takes the likeliest.
  double temperature = 0.7;
  std::uint64_t seed = 1;  // of the draws
};

// What the model writes after a prompt of at least one character. Throws Error for a character that the model does not know, and if its
// answers are not finite.
std::u32string sample(const CharacterModel& model, std::u32string_view prompt, const SampleOptions& options = {});

// A model as a safetensors file: the parameters by name, and in the metadata what is needed to build the model again.
void save(const std::filesystem::path& file, const CharacterModel& model);
// Throws FileError if the file is not such a model, whole and consistent.
CharacterModel load_character_model(const std::filesystem::path& file);

}  // namespace unroll
