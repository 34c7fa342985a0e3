#include <unroll/layers/attention.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>
#include <unroll/layers/running_steps.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

// The score of what is beyond the length of a sequence: exp of its difference to any other is exactly 0. Minus infinity would do as well, but a
// search for the origin of a number that is not finite would end here.
constexpr double beyond = -1e30;

// (batch, time): 1 within the length of a sequence, 0 beyond.
Array mask_of(std::span<const std::int64_t> lengths, std::int64_t time, DType dtype) {
  const Array steps = length_mask(lengths, time, dtype);  // (time, batch)
  const auto batch = std::ssize(lengths);
  Array mask({batch, time}, dtype);
  for (std::int64_t i = 0; i < batch; ++i)
    for (std::int64_t t = 0; t < time; ++t) mask.set_flat(static_cast<std::size_t>(i * time + t), steps.at({t, i}));
  return mask;
}

}  // namespace

AttentionSource AttentionSource::rows(std::span<const std::int64_t> indices) const {
  if (empty()) return {};
  const bool same = keys == outputs;
  AttentionSource result;
  result.outputs = gather(outputs, indices);
  result.keys = same ? result.outputs : gather(keys, indices);
  if (!mask.empty()) result.mask = gather(mask, indices);
  return result;
}

Attention::Attention(const AttentionOptions& o, Generator& generator) : Module(o.name), options(o) {
  require_positive(o.name, "query", o.query);
  require_positive(o.name, "source", o.source);
  if (o.score == AttentionScore::additive) {
    require_positive(o.name, "hidden", o.hidden);
    W = add("W", glorot_uniform({o.query, o.hidden}, generator, o.dtype));
    U = add("U", glorot_uniform({o.source, o.hidden}, generator, o.dtype));
    v = add("v", glorot_uniform({o.hidden, 1}, generator, o.dtype));
  } else if (o.query != o.source) {
    throw ShapeError(fmt::format("{}: a dot product needs equal widths, but option query is {} and option source is {}",
                                 o.name, o.query, o.source));
  }
}

AttentionSource Attention::source(const std::vector<Var>& outputs, std::span<const std::int64_t> lengths) const {
  if (outputs.empty()) throw ShapeError(name() + ": a source of no steps, expected at least one");
  const std::int64_t time = std::ssize(outputs), batch = outputs[0].shape().rank() == 2 ? outputs[0].shape()[0] : 0;
  for (std::size_t t = 0; t < outputs.size(); ++t)
    if (outputs[t].shape() != Shape{batch, options.source})
      throw ShapeError(fmt::format(
          "{}: output {} of the source has shape {}, expected {}", name(), t, to_string(outputs[t].shape()),
          batch == 0 ? fmt::format("(batch, {})", options.source) : to_string(Shape{batch, options.source})));
  if (!lengths.empty() && std::ssize(lengths) != batch)
    throw ShapeError(fmt::format("{}: {} lengths were given for a batch of {}", name(), lengths.size(), batch));

  Tape& tape = outputs[0].tape();
  const Scope scope(tape, name());
  AttentionSource result;
  result.outputs = stack(outputs, 1).named("source");
  result.keys = result.outputs;
  if (options.score == AttentionScore::additive) result.keys = matmul(result.outputs, tape.use(U)).named("keys");
  if (std::any_of(lengths.begin(), lengths.end(), [&](std::int64_t length) { return length != time; }))
    result.mask = tape.constant(mask_of(lengths, time, options.dtype), "mask");
  return result;
}

Attended Attention::operator()(Var query, const AttentionSource& source) const {
  if (source.empty()) throw TapeError(name() + ": an empty source: make one with source(outputs)");
  const Shape shape = source.outputs.shape();
  const std::int64_t batch = shape[0], time = shape[1];
  if (query.shape() != Shape{batch, options.query})
    throw ShapeError(fmt::format("{}: the query has shape {}, expected {}", name(), to_string(query.shape()),
                                 to_string(Shape{batch, options.query})));
  Tape& tape = query.tape();
  const Scope scope(tape, name());
  Var scores;  // (batch, time, 1)
  if (options.score == AttentionScore::additive) {
    const Var asked = reshape(matmul(query, tape.use(W)), {batch, 1, options.hidden});
    const Var fit = tanh(source.keys + asked), weigh = tape.use(v);
    scores = matmul(fit, weigh);
  } else {
    scores = matmul(source.keys, reshape(query, {batch, options.query, 1}));
    if (options.score == AttentionScore::scaled_dot) scores = scores / std::sqrt(static_cast<double>(options.query));
  }
  scores = reshape(scores, {batch, time}).named("scores");
  if (!source.mask.empty()) scores = where(source.mask, scores, tape.scalar(beyond, options.dtype));
  const Var weights = softmax(scores).named("attention");
  const Var context = matmul(reshape(weights, {batch, 1, time}), source.outputs);
  return {reshape(context, {batch, options.source}).named("context"), weights};
}

}  // namespace unroll
