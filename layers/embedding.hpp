#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <span>

namespace unroll {

// The sizes of an embedding.
struct EmbeddingOptions {
  std::int64_t vocabulary = 0, dimension = 0;  // rows, columns
  std::string name = "embedding";              // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;                    // of the parameters
};

// A table with one row of numbers for each symbol, E (vocabulary, dimension), first normal with deviation 1.
class Embedding : public Module {
 public:
  // A table drawn from the generator. Throws ShapeError for a size below 1.
  Embedding(const EmbeddingOptions& options, Generator& generator);

  // The rows of the given symbols, (number of symbols, dimension). Throws ShapeError for a symbol that is not in the table.
  Var operator()(Tape& tape, std::span<const std::int64_t> symbols) const;

  Parameter E;  // (vocabulary, dimension)
};

}  // namespace unroll
