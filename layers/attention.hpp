#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

// How well a query q fits the output s_j of a source at position j, as a number e_j.
enum class AttentionScore {
  additive,   // v . tanh(q W + s_j U)    (Bahdanau, Cho and Bengio 2015)
  dot,        // q . s_j                  (Luong, Pham and Manning 2015)
  scaled_dot  // q . s_j / sqrt(features) (Vaswani et al. 2017)
};

// What attention is made of.
struct AttentionOptions {
  AttentionScore score = AttentionScore::additive;  // how a query is compared
  std::int64_t query = 0, source = 0;  // features of a query and of an output of the source; the same in a dot product
  std::int64_t hidden = 0;             // additive: the width of v
  std::string name = "attention";      // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;            // of the parameters
};

// What can be attended to, made ready once for all queries.
struct AttentionSource {
  Var outputs;  // s, (batch, time, source)
  Var keys;     // what a query is compared with: additive s U, (batch, time, hidden); otherwise the outputs themselves
  Var mask;     // (batch, time): 1 within the length of a sequence, 0 beyond; empty where all are equally long

  // Whether there is nothing to attend to.
  bool empty() const { return outputs.empty(); }
  // The rows of the batch at these indices, in that order, repeats allowed.
  AttentionSource rows(std::span<const std::int64_t> indices) const;
};

// What attention gives for one query.
struct Attended {
  Var context;  // sum over j of weight_j * s_j, (batch, source)
  Var weights;  // (batch, time), in every row not negative and of sum 1, and 0 beyond the length; named attention
};

// Attention over the outputs of an encoder: weights = softmax(e) over the positions of the source, and the mean of the outputs with these
// weights. Parameters: W (query, hidden), U (source, hidden), v (hidden, 1) if it is additive; otherwise none.
class Attention : public Module {
 public:
  // Throws ShapeError for a width below 1, and for a dot product of unequal widths.
  Attention(const AttentionOptions& options, Generator& generator);

  // From the outputs of all source steps, each (batch, source), and how many of them belong to each sequence (1 .. time; none given: all). What
  // stands beyond a length has weight 0, but must be finite. Throws ShapeError for what does not fit.
  AttentionSource source(const std::vector<Var>& outputs, std::span<const std::int64_t> lengths = {}) const;

  // For one query for each sequence, (batch, query).
  Attended operator()(Var query, const AttentionSource& source) const;

  AttentionOptions options;  // as given
  Parameter W, U, v;         // (query, hidden), (source, hidden), (hidden, 1); empty handles in a dot product
};

}  // namespace unroll
