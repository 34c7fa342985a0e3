#pragma once

#include <unroll/core/check/recurrence.hpp>

#include <optional>
#include <span>
#include <vector>

namespace unroll {

// How the error of the last step travels back through one recurrent layer. A loss that reads every step gives each state an error of its own, beside which
// one that has come from afar cannot be seen; so only what enters at the last step is followed. That part of the loss is L_T below.
struct BackwardSignal {
  // |dL/dh|, of all steps together, where the loss reads the states, without the paths through later ones: what there is left to learn. For a layer that
  // the loss does not read itself, that of the layer above by which it is reached.
  double error = 0;
  // Where L_T enters this layer, counted as in Recurrence::steps, and |dL_T/dh| there.
  std::size_t last = 0;
  double entering = 0;
  std::vector<double> h, c;  // |dL_T/dh_t|, |dL_T/dc_t| for every step; 0 after the last

  // |dL_T/d(h, c)| so many steps before the last one; 0 steps before, h alone counts, in which L_T enters.
  double back(std::size_t steps) const;
  // What arrives at the first step, and the largest on the way, as multiples of what entered; 1 if nothing did.
  double arriving() const;
  double growth() const;
  // In how many steps the signal halves on its way back (half_life below).
  std::optional<double> half_life;
};

// One for each layer. Needs one backward pass down to the last layer, and one from there through time; a second of these for a layer that the first does
// not reach, as in bidirectional networks. Throws as backward() does.
std::vector<BackwardSignal> backward_signals(Var loss, const std::vector<Recurrence>& layers);

// The number of steps in which a signal halves: -1 / slope of the least-squares line through the points (k, log2 signal[k]) for k = 1, 2, ... steps back.
// (signal[0] is left out: the loss enters by h alone. With fewer than two other points it counts.) Values below `smallest` do not count: they have lost
// digits. 0 if nothing is left one step back; none if the signal does not decay, or there is too little of it.
std::optional<double> half_life(std::span<const double> signal, double smallest);

}  // namespace unroll
