#include <unroll/layers/encoder_decoder.hpp>

#include <unroll/layers/over_time.hpp>

#include <numeric>

#include <fmt/format.h>

namespace unroll {

Encoder::Encoder(const EncoderOptions& o, AnyCell cell, Generator& generator)
    : Module(o.name),
      options(o),
      embedding_({.vocabulary = o.vocabulary, .dimension = o.embedding, .name = "source", .dtype = o.dtype}, generator),
      cell_(std::move(cell)) {
  add(embedding_);
  add(cell_);
}

std::vector<std::int64_t> Encoder::state_widths() const {
  Tape scratch;
  std::vector<std::int64_t> widths;
  for (const Var& part : cell_.zero_state(scratch, 1)) widths.push_back(part.shape()[1]);
  return widths;
}

Encoded Encoder::operator()(Tape& tape, std::span<const Symbols> sources) const {
  require_symbols(name(), "source", sources, options.vocabulary);
  const Scope scope(tape, name());
  std::vector<Var> xs;
  for (std::int64_t t = 0; t < longest(sources); ++t) {
    const Step step(tape, t + 1);
    xs.push_back(embedding_(tape, symbols_at(sources, t, sources[0][0])).named("x"));
  }
  std::vector<std::int64_t> steps = lengths_of(sources);
  const AnyCell::State zero = cell_.zero_state(tape, std::ssize(sources));
  Sequence<AnyCell::State> sequence = over_time(cell_, xs, zero, {.lengths = steps});
  return {std::move(sequence.outputs), std::move(sequence.state), std::move(steps)};
}

EncoderDecoder::EncoderDecoder(Encoder e, Decoder d)
    : Module("encoder-decoder"), encoder(std::move(e)), decoder(std::move(d)) {
  add(encoder);
  add(decoder);
  const std::vector<std::int64_t> given = encoder.state_widths(), &taken = decoder.state_widths();
  const std::int64_t all = std::accumulate(given.begin(), given.end(), std::int64_t{0});
  const std::int64_t context = decoder.options.context;
  if (context == 0 ? given == taken : context == all) return;
  const std::string wanted =
      context == 0 ? fmt::format("({})", fmt::join(taken, ", ")) : fmt::format("a vector of width {}", context);
  throw ShapeError(
      fmt::format("encoder-decoder: the encoder's state has parts of widths ({}), and the decoder takes {}: "
                  "give both one kind of cell, or the decoder option context = {}",
                  fmt::join(given, ", "), wanted, all));
}

DecoderStart EncoderDecoder::encode(Tape& tape, std::span<const Symbols> sources) const {
  Encoded encoded = encoder(tape, sources);
  DecoderStart start;
  if (decoder.options.context > 0)
    start = decoder.from(concat(encoded.state, 1));
  else
    start.state = std::move(encoded.state);
  start.steps = std::ssize(encoded.outputs);
  const Step last(tape, start.steps);
  start.source = decoder.source(encoded.outputs, encoded.lengths);
  return start;
}

Taught EncoderDecoder::teach(Tape& tape, std::span<const Symbols> sources, std::span<const Symbols> targets,
                             const TeacherForcing& forcing) const {
  return decoder.teach(encode(tape, sources), targets, forcing);
}

std::vector<Decoded> EncoderDecoder::translate(std::span<const Symbols> sources, const GreedyOptions& options) const {
  Tape tape;
  return greedy(decoder, encode(tape, sources), options);
}

std::vector<Decoded> EncoderDecoder::translate(const Symbols& source, const BeamOptions& options) const {
  Tape tape;
  return beam(decoder, encode(tape, {&source, 1}), options);
}

}  // namespace unroll
