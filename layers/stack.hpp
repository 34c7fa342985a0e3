#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/layers/any_cell.hpp>

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// What goes on between the cells of a stack.
struct StackOptions {
  // Between the layers, where with_dropout() switched it on: on what a layer hands to the one above, not along time (Zaremba, Sutskever and
  // Vinyals 2014).
  double dropout = 0;
  // Each layer from the second up adds what it saw to what it puts out (Wu et al. 2016); both must have one shape.
  bool residual = false;
  std::string name = "stack";  // of the module
};

// Recurrent cells one above the other, of any kinds: what the first puts out at a step is what the second sees at that step, and so on. A
// stack is a cell itself, so over_time() unrolls it, and it can stand in another stack.
class Stack : public Module {
 public:
  // The state of each layer, from below.
  using State = std::vector<AnyCell::State>;

  // Throws ShapeError without any layer or for a rate of dropout that is not from 0 to below 1.
  Stack(std::vector<AnyCell> layers, const StackOptions& options = {});

  // The same layers with dropout at work, drawn from a generator that outlives the result: for training. Without, as for prediction, there is none.
  Stack with_dropout(Generator& generator) const;

  // One step through all layers: x and the states before it -> {output of the topmost, the states after it}. Throws ShapeError if the state has not one
  // part for each layer.
  std::pair<Var, State> operator()(Var x, const State& before) const;
  // The first states of `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  // From below.
  const std::vector<AnyCell>& layers() const { return layers_; }

 private:
  std::vector<AnyCell> layers_;
  double dropout_;
  bool residual_;
  bool numbered_ = false;
  Generator* generator_ = nullptr;
};

}  // namespace unroll
