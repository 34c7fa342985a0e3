#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/tape/tape.hpp>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Recomputation: a part of a program of which the tape keeps only the results. The backward pass records the part again when it comes to it, and
// forgets it again: memory for time (Griewank 1992; Chen et al. 2016). The gradients are those of the program without checkpoints, to the last digit where the
// results of the part are contiguous (a sum over a strided view, such as a slice, may add in another order than one over its copy); -0 may become 0.
namespace unroll {

// A part of a program, from its inputs to its results. The tape keeps a copy of it until it is cleared; what it captures by reference must live as long.
using Part = std::function<std::vector<Var>(std::span<const Var> inputs)>;

// What a checkpoint must know besides the part and its inputs.
struct CheckpointOptions {
  // The generators from which the part draws (dropout): they draw the same again when it is recorded again.
  std::vector<Generator*> generators = {};
};

// Runs a part and keeps nothing of it but its results, which all have one dtype. Inputs may also be captured by the part: nodes of the tape, and
// parameters, are found. Throws TapeError without inputs or for those of several tapes. backward() throws GradientError if the part gives other
// numbers when it is recorded again; a mask that is drawn without its generator being named is found by that, unless it fell on zeros. Vars that
// the part hands out in another way than as its results must not be used: their nodes are gone. With create_graph the part stays on the tape
// when it has been recorded again, and nothing is saved.
std::vector<Var> checkpoint(const Part& part, const std::vector<Var>& inputs, const CheckpointOptions& options = {});

// The same for a function of Vars that gives one Var: checkpoint([&](Var x, Var h) { return tanh(x + h); }, x, h).
template <class F, std::same_as<Var>... Inputs>
requires std::is_invocable_r_v<Var, F, Inputs...> Var checkpoint(const F& f, Inputs... inputs) {
  const Part part = [f]<std::size_t... i>(std::index_sequence<i...>) {
    return [f](std::span<const Var> x) { return std::vector<Var>{f(x[i]...)}; };
  }
  (std::index_sequence_for<Inputs...>());
  return checkpoint(part, std::vector<Var>{inputs...})[0];
}

// ---- for parts that can be computed in less memory than recording them takes (layers/recompute.hpp)

// The numbers of a part that was recorded and forgotten, and what it used.
struct ForgottenPart {
  std::vector<Array> results;         // each once
  std::vector<std::string> names;     // of the results
  std::vector<Place> places;          // where the results stood
  std::vector<std::size_t> position;  // of what the part gave, among `results`: it may give one Var twice
  std::vector<Var> captured;          // nodes from before the part
  std::vector<Parameter> parameters;  // in the order of their first use
};

// Records a part, copies its results and forgets it.
ForgottenPart run_and_forget(Tape& tape, const std::function<std::vector<Var>()>& part);

// Generators, and how they stood before a part drew from them.
using GeneratorStates = std::vector<std::pair<Generator*, Generator>>;
// How some generators stand now.
GeneratorStates states_of(const std::vector<Generator*>& generators);

// Records the node that stands for a part: `forgotten` has its numbers, `part` records it again. Gives what the part gave.
std::vector<Var> record_checkpoint(Tape& tape, const Part& part, const std::vector<Var>& inputs,
                                   const ForgottenPart& forgotten, const GeneratorStates& generators);

}  // namespace unroll
