#pragma once

#include <unroll/core/check/verdict.hpp>
#include <unroll/optim/fit.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace unroll {

// One measurement while a network trains.
struct FlowReading {
  std::int64_t update = 0;           // counted as in FitState: 1 is the first
  double loss = 0;                   // of that update
  std::vector<FlowEvidence> layers;  // what was measured in each recurrent layer
  Judgement judgement;               // what it means
};

// How often is measured, and who hears of it.
struct FlowMonitorOptions {
  // Measures the first update and every so many after it. A measurement is a backward pass through time and two short ones, to the last states and
  // through their step; as much again for each further layer that the loss reads itself. It takes about as long as an update, so that with 50 a training takes 2 % to 4 % longer (bench/flow_monitor.cpp).
  std::int64_t every = 50;
  // Called after each measurement; `false` ends the training (through the callback).
  std::function<bool(const FlowReading&)> report = {};
  VerdictThresholds thresholds = {};  // of the rules
};

// The verdict while a network trains:
//
//   FlowMonitor monitor({.report = [](const FlowReading& r) { ... return r.judgement.verdict != Verdict::converged; }});
//   fit(monitor.watch(loss), optimizer, {.updates = 1000, .callbacks = {monitor.callback()}});
//
// It measures when the loss has been recorded, before the optimiser changes the parameters, and leaves the tape as it is: a training with a monitor ends in
// the same bits as one without. What it hands out refers to it, so it must outlive the training.
// See docs/gradient-flow.md and docs/training.md.
class FlowMonitor {
 public:
  // Throws Error if `every` is below 1.
  explicit FlowMonitor(FlowMonitorOptions options = {});
  FlowMonitor(const FlowMonitor&) = delete;
  FlowMonitor& operator=(const FlowMonitor&) = delete;

  // The same loss, observed.
  FitLoss watch(FitLoss loss);
  // Says no when `report` said no.
  FitCallback callback();
  // For a training loop of one's own: between the recording of the loss and the optimiser's step. Measures if it is time (update = 0, 1, ...).
  void observe(Var loss, std::int64_t update);

  // The last measurement; none before the first.
  const std::optional<FlowReading>& latest() const { return latest_; }

  // What was measured first, against which convergence is told; all 0 before.
  const FlowBeginning& beginning() const { return beginning_; }
  // Lets a training that is resumed from a save be judged against the beginning of the interrupted one: before fit(), into FitOptions::memory.
  void remember_in(FitMemory& memory);

 private:
  FlowMonitorOptions options_;
  std::optional<FlowReading> latest_;
  FlowBeginning beginning_;
  bool stop_ = false;
};

}  // namespace unroll
