#include <unroll/layers/embedding.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

namespace unroll {

Embedding::Embedding(const EmbeddingOptions& options, Generator& generator) : Module(options.name) {
  require_positive(options.name, "vocabulary", options.vocabulary);
  require_positive(options.name, "dimension", options.dimension);
  E = add("E", normal({options.vocabulary, options.dimension}, 1, generator, options.dtype));
}

Var Embedding::operator()(Tape& tape, std::span<const std::int64_t> symbols) const {
  const Scope scope(tape, name());
  return gather(tape.use(E), symbols);
}

}  // namespace unroll
