#pragma once

#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/attention.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/symbols.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll {

// One vector in, a sequence of symbols out:
//
//   Decoder decoder({.vocabulary = 28, .embedding = 8, .start = 26, .end = 27, .context = 32},
//                   LSTM({.input = 8, .hidden = 64}, generator), generator);
//   const Var loss = decoder.teach(decoder.from(vector), targets).loss;        // vector (batch, 32), every target ends with 27
//   const std::vector<Decoded> answers = greedy(decoder, decoder.from(vector), {.most_symbols = 10});  // layers/decoding.hpp
//
// step() is one step of it, for a loop of one's own. What reads a source sequence first is an EncoderDecoder (layers/encoder_decoder.hpp).

// The attention of a decoder.
struct DecoderAttention {
  AttentionScore score = AttentionScore::additive;  // how the state is compared with the source
  std::int64_t source = 0;                          // features of an output of the source
  std::int64_t hidden = 0;                          // width of an additive score
};

// What a decoder is made of.
struct DecoderOptions {
  std::int64_t vocabulary = 0, embedding = 0;  // symbols, and numbers for each
  std::int64_t start = 0, end = 1;             // the symbols that it sees first, and says last
  // The width of a vector from which the first state is made; 0: the state is given.
  std::int64_t context = 0;
  // What the outputs of a source are attended to with; without, the first state is all that the decoder knows.
  std::optional<DecoderAttention> attention = {};
  std::string name = "decoder";  // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;      // of the parameters
};

// What a sequence is generated from.
struct DecoderStart {
  AnyCell::State state;         // before the first symbol
  AttentionSource source = {};  // what is attended to
  std::int64_t steps = 0;       // time steps that went before: those of the decoder are numbered from there on
};

// What one step of a decoder gives.
struct DecoderStep {
  Var logits;            // (batch, vocabulary)
  AnyCell::State state;  // after the step
  Var attention;         // the weights (batch, source time); empty without attention
};

// How often the decoder sees the true symbol of the step before, and how often its own answer, the likeliest symbol (scheduled sampling: Bengio,
// Vinyals, Jaitly and Shazeer 2015). Which of the two is drawn for every step and sequence; no gradient flows through an answer.
struct TeacherForcing {
  double ratio = 1;                // the probability of the true symbol: 1 always, 0 never
  Generator* generator = nullptr;  // of the draws; needed where 0 < ratio < 1
};

// What teaching records: one entry for each step.
struct Taught {
  std::vector<Var> logits;     // (batch, vocabulary)
  std::vector<Var> attention;  // (batch, source time); empty without attention
  Var loss;                    // the mean cross-entropy over all symbols of the targets, the end symbols included
};

// Generates a sequence, one symbol a step, each step knowing the symbol before (Sutskever, Vinyals and Le 2014; Cho et al. 2014):
//
//   h_t, state_t = cell(E[y_(t-1)], state_(t-1))                  y_0 = the start symbol
//   c_t = attention(h_t over the outputs of the source)           with attention (Luong, Pham and Manning 2015, section 3.1)
//   a_t = tanh([h_t, c_t] W + b)                                  with attention; else a_t = h_t
//   logits_t = a_t V + d
//
// Without attention and from a vector v the first state is tanh(v W_0 + b_0) (Cho et al. 2014).
class Decoder : public Module {
 public:
  // Any cell whose input is as wide as the embedding. Throws ShapeError for a width below 1 or a symbol beyond the vocabulary.
  Decoder(const DecoderOptions& options, AnyCell cell, Generator& generator);

  // From a vector for each sequence, (batch, context). Throws Error for a decoder that was made without `context`.
  DecoderStart from(Var vector) const;

  // What it attends to: the outputs of a source, as Attention::source() takes them. Empty in a decoder without attention.
  AttentionSource source(const std::vector<Var>& outputs, std::span<const std::int64_t> lengths = {}) const;

  // The rows of the symbols in the embedding, (batch, embedding): what the cell sees.
  Var embed(Tape& tape, std::span<const std::int64_t> symbols) const;
  // One step, recorded at the tape's present time step: x (batch, embedding).
  DecoderStep step(Var x, const AnyCell::State& before, const AttentionSource& source = {}) const;

  // The same as a cell for over_time, with the logits as its output; the weights of every step are appended to `attention`. Valid as long as
  // the decoder and the vector. `attention` is not to be read where over_time recomputes or truncates: a step is recorded more than once there.
  auto cell(const AttentionSource& source = {}, std::vector<Var>* attention = nullptr) const {
    return [this, source, attention](Var x, const AnyCell::State& before) -> std::pair<Var, AnyCell::State> {
      DecoderStep done = step(x, before, source);
      if (attention) attention->push_back(done.attention);
      return {done.logits, std::move(done.state)};
    };
  }

  // Records a whole batch. Every target ends with the end symbol and holds no other. Throws ShapeError for a target that does not, for a symbol beyond the
  // vocabulary or a state of another batch, Error for a ratio outside 0 .. 1 or without its generator.
  Taught teach(const DecoderStart& start, std::span<const Symbols> targets, const TeacherForcing& forcing = {}) const;

  // Of each part of its cell's state.
  const std::vector<std::int64_t>& state_widths() const { return state_widths_; }

  DecoderOptions options;  // as given

 private:
  Embedding embedding_;
  AnyCell cell_;
  std::vector<std::int64_t> state_widths_;
  std::vector<std::string> state_names_;
  std::optional<Linear> initial_, combine_;
  std::optional<Attention> attention_;
  std::optional<Linear> readout_;
};

// The number of sequences that a start is for. Throws ShapeError for one without a state, or of unequal parts.
std::int64_t batch_of(const DecoderStart& start);

}  // namespace unroll
