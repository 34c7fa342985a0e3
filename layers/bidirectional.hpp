#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/packed.hpp>

#include <string>
#include <vector>

namespace unroll {

// The two cells of one bidirectional layer.
struct BothDirections {
  AnyCell forward, backward;  // from the first step on, and from the last one back
};
// Their states.
struct DirectionStates {
  AnyCell::State forward, backward;  // one for each cell
};

// What goes on between bidirectional layers.
struct BidirectionalOptions {
  // Between the layers, where with_dropout() switched it on.
  double dropout = 0;
  std::string name = "bidirectional";  // of the module
};

// Bidirectional layers (Schuster and Paliwal 1997): one cell goes through the sequence from its first step to its last, another from its
// last step to its first, and the output of a step is both of theirs side by side, forward first. Of several layers each sees both
// directions of the one below, as PyTorch has it. The whole sequence must be there before the first output is, so this is no cell;
// over_time() unrolls it all the same, padded or packed.
class Bidirectional : public Module {
 public:
  // One for each layer, from below.
  using State = std::vector<DirectionStates>;

  // Throws ShapeError without any layer or for a rate of dropout that is not from 0 to below 1.
  Bidirectional(std::vector<BothDirections> layers, const BidirectionalOptions& options = {});

  // The same layers with dropout at work, drawn from a generator that outlives the result.
  Bidirectional with_dropout(Generator& generator) const;

  // All steps. Throws ShapeError if the state has not one part for each layer.
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions& options) const;
  PackedResult<State> operator()(const PackedSequence& xs, const State& before, const OverTimeOptions& options) const;
  // The first states of `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

 private:
  std::vector<BothDirections> layers_;
  double dropout_;
  bool numbered_ = false;
  Generator* generator_ = nullptr;

  // Padded or packed.
  template <class Result, class Inputs>
  Result run(const Inputs& xs, const State& before, const OverTimeOptions& options) const;
  std::vector<Var> joined(const std::vector<Var>& forward, const std::vector<Var>& backward, bool last) const;
  void require_state(const State& state) const;
};

// Unrolls bidirectional layers over packed sequences.
inline PackedResult<Bidirectional::State> over_time(const Bidirectional& layer, const PackedSequence& xs,
                                                    const Bidirectional::State& state,
                                                    const OverTimeOptions& options = {}) {
  return layer(xs, state, options);
}

}  // namespace unroll
