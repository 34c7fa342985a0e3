#include <unroll/layers/decoder.hpp>

#include <unroll/layers/losses.hpp>
#include <unroll/layers/options.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

namespace {

void require_symbol(const std::string& name, const char* option, std::int64_t symbol, std::int64_t vocabulary) {
  if (symbol < 0 || symbol >= vocabulary)
    throw ShapeError(
        fmt::format("{}: option {} is {}, expected a symbol from 0 to {}", name, option, symbol, vocabulary - 1));
}

void require_forcing(const std::string& name, const TeacherForcing& forcing) {
  if (!(forcing.ratio >= 0 && forcing.ratio <= 1))
    throw Error(fmt::format("{}: the ratio of teacher forcing is {}, expected 0 to 1", name, forcing.ratio));
  if (forcing.ratio > 0 && forcing.ratio < 1 && !forcing.generator)
    throw Error(
        fmt::format("{}: a ratio of teacher forcing of {} needs a generator for its draws", name, forcing.ratio));
}

// What the decoder sees after a step at which `truth` was right.
Symbols seen(const Symbols& truth, Var logits, const TeacherForcing& forcing) {
  if (forcing.ratio == 1) return truth;
  const Symbols answers = likeliest(logits.value());
  if (forcing.ratio == 0) return answers;
  Symbols mixed;
  for (std::size_t i = 0; i < truth.size(); ++i)
    mixed.push_back(forcing.generator->uniform() < forcing.ratio ? truth[i] : answers[i]);
  return mixed;
}

}  // namespace

Decoder::Decoder(const DecoderOptions& o, AnyCell cell, Generator& generator)
    : Module(o.name),
      options(o),
      embedding_({.vocabulary = o.vocabulary, .dimension = o.embedding, .name = "target", .dtype = o.dtype}, generator),
      cell_(std::move(cell)) {
  require_symbol(o.name, "start", o.start, o.vocabulary);
  require_symbol(o.name, "end", o.end, o.vocabulary);
  // How wide its output and its state are, the cell shows when it runs.
  Tape scratch;
  const AnyCell::State zero = cell_.zero_state(scratch, 1);
  const std::int64_t hidden = cell_(scratch.constant(Array({1, o.embedding}, o.dtype)), zero).first.shape()[1];
  std::int64_t all = 0;
  for (const Var& part : zero) {
    all += state_widths_.emplace_back(part.shape()[1]);
    state_names_.push_back(scratch.name(part.id()));
  }

  if (o.context > 0)
    initial_.emplace(Linear({.input = o.context, .output = all, .name = "initial", .dtype = o.dtype}, generator));
  if (o.attention) {
    attention_.emplace(Attention({.score = o.attention->score,
                                  .query = hidden,
                                  .source = o.attention->source,
                                  .hidden = o.attention->hidden,
                                  .dtype = o.dtype},
                                 generator));
    combine_.emplace(Linear(
        {.input = hidden + o.attention->source, .output = hidden, .name = "combine", .dtype = o.dtype}, generator));
  }
  readout_.emplace(Linear({.input = hidden, .output = o.vocabulary, .name = "readout", .dtype = o.dtype}, generator));

  add(embedding_);
  if (initial_) add(*initial_);
  add(cell_);
  if (attention_) add(*attention_);
  if (combine_) add(*combine_);
  add(*readout_);
}

DecoderStart Decoder::from(Var vector) const {
  if (!initial_) throw Error(name() + ": made without option context, so that it takes no vector but a state");
  if (const Shape shape = vector.shape(); shape.rank() != 2 || shape[1] != options.context)
    throw ShapeError(
        fmt::format("{}: the vector has shape {}, expected (batch, {})", name(), to_string(shape), options.context));
  Tape& tape = vector.tape();
  const Scope scope(tape, name());
  const Step step(tape, 0);
  const Var all = tanh((*initial_)(vector));
  DecoderStart start{.state = split(all, 1, state_widths_)};
  for (std::size_t i = 0; i < start.state.size(); ++i) start.state[i].named(state_names_[i]);
  return start;
}

AttentionSource Decoder::source(const std::vector<Var>& outputs, std::span<const std::int64_t> lengths) const {
  if (!attention_) return {};
  if (outputs.empty()) throw ShapeError(fmt::format("{}: no outputs of a source to attend to", name()));
  const Scope scope(outputs[0].tape(), name());
  return attention_->source(outputs, lengths);
}

Var Decoder::embed(Tape& tape, std::span<const std::int64_t> symbols) const {
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] < 0 || symbols[i] >= options.vocabulary)
      throw ShapeError(fmt::format("{}: symbol {} of the batch is {}, expected 0 to {}", name(), i, symbols[i],
                                   options.vocabulary - 1));
  const Scope scope(tape, name());
  return embedding_(tape, symbols).named("x");
}

DecoderStep Decoder::step(Var x, const AnyCell::State& before, const AttentionSource& source) const {
  if (attention_.has_value() == source.empty())
    throw Error(name() + (attention_ ? ": made with attention, so that it needs a source to attend to"
                                     : ": made without attention, so that it takes no source"));
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  auto [h, state] = cell_(x, before);
  if (!attention_) return {(*readout_)(h).named("logits"), std::move(state), {}};
  const Attended attended = (*attention_)(h, source);
  const Var combined = tanh((*combine_)(concat({h, attended.context}, 1))).named("a");
  return {(*readout_)(combined).named("logits"), std::move(state), attended.weights};
}

Taught Decoder::teach(const DecoderStart& start, std::span<const Symbols> targets,
                      const TeacherForcing& forcing) const {
  require_forcing(name(), forcing);
  require_symbols(name(), "target", targets, options.vocabulary);
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (std::find(targets[i].begin(), targets[i].end(), options.end) != targets[i].end() - 1)
      throw ShapeError(fmt::format("{}: target {} does not have the end symbol {} at its end and only there", name(), i,
                                   options.end));
  if (const std::int64_t batch = batch_of(start); batch != std::ssize(targets))
    throw ShapeError(fmt::format("{}: {} targets were given for a state of batch {}", name(), targets.size(), batch));

  Tape& tape = start.state.front().tape();
  Taught taught;
  AnyCell::State state = start.state;
  Symbols before(targets.size(), options.start), all_targets;
  std::vector<double> mask;
  for (std::int64_t t = 0; t < longest(targets); ++t) {
    const Step at(tape, start.steps + t + 1);
    DecoderStep done = step(embed(tape, before), state, start.source);
    taught.logits.push_back(done.logits);
    if (attention_) taught.attention.push_back(done.attention);
    state = std::move(done.state);
    const Symbols truth = symbols_at(targets, t, options.end);
    all_targets.insert(all_targets.end(), truth.begin(), truth.end());
    for (const Symbols& target : targets) mask.push_back(t < std::ssize(target) ? 1 : 0);
    before = seen(truth, done.logits, forcing);
  }
  const Scope scope(tape, name());
  taught.loss = cross_entropy(taught.logits, all_targets, mask).named("L");
  return taught;
}

std::int64_t batch_of(const DecoderStart& start) {
  if (start.state.empty()) throw ShapeError("decoder: the state has no parts");
  const std::int64_t batch = start.state.front().shape()[0];
  for (const Var& part : start.state)
    if (part.shape()[0] != batch)
      throw ShapeError(fmt::format("decoder: the parts of the state have shapes {} and {}, of unequal batches",
                                   to_string(start.state.front().shape()), to_string(part.shape())));
  return batch;
}

}  // namespace unroll
