#pragma once

#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/decoder.hpp>
#include <unroll/layers/decoding.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/symbols.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// What an encoder is made of.
struct EncoderOptions {
  std::int64_t vocabulary = 0, embedding = 0;  // symbols, and numbers for each
  std::string name = "encoder";                // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;                    // of the parameters
};

// What an encoder leaves.
struct Encoded {
  std::vector<Var> outputs;           // of every step, each (batch, features); 0 beyond the length of a sequence
  AnyCell::State state;               // after the last symbol of each sequence
  std::vector<std::int64_t> lengths;  // of the sequences
};

// Reads a sequence of symbols, each as a row of an embedding. Sequences of different lengths stand side by side: each is read as if it were alone.
class Encoder : public Module {
 public:
  // Any cell whose input is as wide as the embedding.
  Encoder(const EncoderOptions& options, AnyCell cell, Generator& generator);

  // Throws ShapeError for an empty source or a symbol beyond the vocabulary.
  Encoded operator()(Tape& tape, std::span<const Symbols> sources) const;

  // Of each part of its state.
  std::vector<std::int64_t> state_widths() const;

  EncoderOptions options;  // as given

 private:
  Embedding embedding_;
  AnyCell cell_;
};

// From a sequence to a sequence (Sutskever, Vinyals and Le 2014; Cho et al. 2014): the encoder reads the source, and the decoder generates the target from
// the encoder's last state, and from all its outputs if it has attention. Time steps are numbered on: those of the source from 1, then those of the target.
class EncoderDecoder : public Module {
 public:
  // The state goes over as it is, so that both cells must have states of one form; or, if the decoder was made with `context`, as the vector of all its parts side by
  // side. Throws ShapeError where neither fits.
  EncoderDecoder(Encoder encoder, Decoder decoder);

  // Encodes a batch: what the decoder starts from. Throws ShapeError for a state that the decoder cannot take.
  DecoderStart encode(Tape& tape, std::span<const Symbols> sources) const;
  // Encodes and teaches, one target for each source.
  Taught teach(Tape& tape, std::span<const Symbols> sources, std::span<const Symbols> targets,
               const TeacherForcing& forcing = {}) const;
  // Encodes and decodes, on a tape of its own.
  std::vector<Decoded> translate(std::span<const Symbols> sources, const GreedyOptions& options = {}) const;
  std::vector<Decoded> translate(const Symbols& source, const BeamOptions& options) const;

  Encoder encoder;  // reads the source
  Decoder decoder;  // generates the target
};

}  // namespace unroll
