#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/check/finite.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/state.hpp>
#include <unroll/optim/optimizer.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

// The one training loop: behind `unroll train`, the examples and the tutorials.
namespace unroll {

// Where a training stands, as its callbacks see it.
struct FitState {
  std::int64_t update = 0;        // updates of the parameters that are done: 1 after the first
  std::int64_t updates = 0;       // planned
  std::int64_t resumed_from = 0;  // the update of the save that this run went on from; 0: from the beginning
  double loss = 0;                // of this update
  double mean_loss = 0;           // a moving mean, of weight 0.1 for the newest
  double gradient_norm = 0;       // of all gradients together, before clipping
  double learning_rate = 0;       // of this update
  // The recording of this update, before the next update clears it.
  const Tape* tape = nullptr;
  Var recorded_loss;                     // the loss on it
  const Gradients* gradients = nullptr;  // of the loss, after clipping

  // How much of the training is done, from 0 to 1.
  double fraction() const { return static_cast<double>(update) / static_cast<double>(updates); }
};

// Called after every update, in order. If one says `false`, the training ends, after all have seen the update.
using FitCallback = std::function<bool(const FitState&)>;

// What besides parameters and optimiser decides how a training goes on: it is kept in a save, under its name, and put back by a resumption.
struct FitMemory {
  std::vector<std::pair<std::string, Generator*>> generators = {};  // dropout, order of the items, teacher forcing ...
  std::vector<std::pair<std::string, CarriedState*>> states = {};   // states that run on from batch to batch
  std::vector<std::pair<std::string, double*>> numbers =
      {};  // what callbacks remember, such as the best measure until now
};

// How a training goes.
struct FitOptions {
  std::int64_t updates = 0;  // how many there will be
  double clip = 0;           // of the norm of all gradients together; 0 does not clip
  // Factor of the optimiser's learning rate at a fraction 0 <= x < 1 of the training; none: 1.
  std::function<double(double)> schedule = {};
  std::vector<FitCallback> callbacks = {};  // called after every update, in order
  // What the backward pass of an update (1 is the first) keeps for the callbacks besides the gradients of the leaves: {.keep = Keep::all} on every
  // tenth update, for example, or {.also = ...} for chosen nodes; none: nothing. No create_graph, because such gradients cannot be clipped.
  std::function<BackwardOptions(Var loss, std::int64_t update)> backward = {};
  // Asked before every update, the first one after a resumption as well: true says that the training is over (early stopping).
  std::vector<std::function<bool()>> over = {};
  // A file from which an interrupted training goes on, to bit-identical results; empty: none. It is written whole or not at all, after every
  // `save_every` updates and at the end, and read at the beginning if it is there.
  std::filesystem::path save = {};
  std::int64_t save_every = 100;  // updates between two saves
  std::string fingerprint = {};   // of data and options: a save with another one is refused
  FitMemory memory = {};          // what a save holds besides parameters and optimiser
};

// How a training ended.
enum class FitEnd {
  finished,  // all updates are done
  stopped    // a callback said stop, or `over` that it is over
};

// What a training leaves besides the parameters.
struct FitResult {
  FitEnd end = FitEnd::finished;   // how it ended
  std::int64_t update = 0;         // done in all
  std::int64_t resumed_from = 0;   // the update of the save that it went on from; 0: from the beginning
  double loss = 0, mean_loss = 0;  // of the last update, and the moving mean
};

// Records the loss of one update on a cleared tape; update = 0, 1, ... decides the batch, beside the generators.
using FitLoss = std::function<Var(Tape& tape, std::int64_t update)>;

// Trains: for every update, clears the tape, records the loss, goes back, clips, lets the optimiser step, and calls the callbacks. The same program with
// the same seeds leaves the same bits, interrupted and resumed or not, if everything that decides how it goes on is in `memory`.
//
// Throws NonFiniteError, with operation, gate and time step that first made it, if the loss or a gradient is NaN or infinite, or a step makes a
// parameter so: parameters are then as they were after the last good update, and the last save stays. Throws FileError for a save that is damaged or of another training, and Error for
// options that make no sense. What the loss or a callback throws goes through. Afterwards the optimiser has its own learning rate again.
// See docs/training.md and tutorials/17/README.md.
FitResult fit(const FitLoss& loss, Optimizer& optimizer, const FitOptions& options);

}  // namespace unroll
