#pragma once

#include <unroll/core/check/recurrence.hpp>

#include <optional>
#include <span>
#include <vector>

namespace unroll {

// How the error of the last step travels back through one recurrent layer. A loss that reads every step gives each state an error of its own, beside which
// one that has come from afar cannot be seen; so only what enters at the last step is followed. That part of the loss is L_T below.
//
// Of a layer that the loss reads, L_T is what it reads of the last state whose error is not 0. A layer below is followed from where L_T of a layer above
// enters it without going back in time, at the same time step: of several such layers above (two directions), from the one that lets it enter
// last. What has passed through the recurrence of another layer first is no measure of what enters. Only a layer that is reached in no other way (an encoder by
// its decoder's first state) is followed from the last state that L_T reaches.
struct BackwardSignal {
  // Whether the loss depends on the layer at all; if not, everything else is 0.
  bool reached = false;
  // |dL/dh|, of all steps together, where the loss reads the states, without the paths through later ones: what there is left to learn. For a layer below,
  // that of the layer from which it is followed.
  double error = 0;
  std::size_t last = 0;  // where L_T enters this layer, counted as in Recurrence::steps
  double entering = 0;   // |dL_T/dh| there
  // The first step that gradients reach from there, in the same count: 0 unless they are cut on their way (truncated BPTT, detach). A path through the
  // warm-up of a truncation does not count.
  std::size_t first = 0;
  std::optional<std::int32_t> cut_before;  // the time step of `first`, where they are cut
  std::vector<double> h, c;                // |dL_T/dh_t|, |dL_T/dc_t| for every step

  // |dL_T/d(h, c)| so many steps before the last one; 0 steps before, h alone counts, in which L_T enters.
  double back(std::size_t steps) const;
  // What arrives at the first step, as a multiple of what entered; 0 if nothing did.
  double arriving() const;
  // The largest on the way, likewise.
  double growth() const;
  // In how many steps the signal halves on its way back (half_life below).
  std::optional<double> half_life;
};

// One for each layer. Needs one backward pass down to the last layer, and for each layer that the loss reads itself one through its last step and one from
// there through time. Throws as backward() does.
std::vector<BackwardSignal> backward_signals(Var loss, const std::vector<Recurrence>& layers);

// The number of steps in which a signal halves: -1 / slope of the least-squares line through the points (k, log2 signal[k]) for k = 1, 2, ... steps back.
// (signal[0] is left out: the loss enters by h alone. With fewer than two other points it counts.) Values below `smallest` do not count: they have lost
// digits. 0 if nothing is left one step back; none if the signal does not decay, or there is too little of it.
std::optional<double> half_life(std::span<const double> signal, double smallest);

}  // namespace unroll
