#include <unroll/layers/encoder_decoder_check.hpp>

#include <unroll/layers/options.hpp>

namespace unroll {

namespace {

// Sequences of at most `steps` symbols, the first of them of just so many; none is `excluded`.
std::vector<Symbols> random_sequences(const LayerCheckOptions& o, std::int64_t vocabulary, std::int64_t excluded,
                                      Generator& generator) {
  std::vector<Symbols> sequences(static_cast<std::size_t>(o.batch));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto length =
        i == 0 ? o.steps : 1 + static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(o.steps)));
    while (std::ssize(sequences[i]) < length)
      if (const auto s = static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(vocabulary)));
          s != excluded)
        sequences[i].push_back(s);
  }
  return sequences;
}

}  // namespace

GradcheckReport gradcheck(const EncoderDecoder& model, const LayerCheckOptions& options) {
  require_positive("gradcheck", "steps", options.steps);
  require_positive("gradcheck", "batch", options.batch);
  const DecoderOptions& decoder = model.decoder.options;
  if (decoder.vocabulary < 2) throw ShapeError("gradcheck: a decoder of one symbol has nothing to say but the end");
  Generator generator(options.gradcheck.seed + 1);
  const std::vector<Symbols> sources = random_sequences(options, model.encoder.options.vocabulary, -1, generator);
  std::vector<Symbols> targets = random_sequences(options, decoder.vocabulary, decoder.end, generator);
  for (Symbols& target : targets) target.push_back(decoder.end);
  const auto program = [&](Tape& tape) {
    const Taught taught = model.teach(tape, sources, targets);
    std::vector<Var> results{reshape(taught.loss, {1})};
    for (const std::vector<Var>& steps : {taught.logits, taught.attention})
      for (Var v : steps) results.push_back(reshape(v, {static_cast<std::int64_t>(v.shape().size())}));
    return concat(results, 0);
  };
  return gradcheck(std::function<Var(Tape&)>(program), model.parameters(), options.gradcheck);
}

}  // namespace unroll
