#include <unroll/optim/flow_monitor.hpp>

#include <utility>

#include <fmt/format.h>

namespace unroll {

FlowMonitor::FlowMonitor(FlowMonitorOptions options) : options_(std::move(options)) {
  if (options_.every < 1)
    throw Error(fmt::format("FlowMonitor: option every is {}, expected at least 1", options_.every));
}

FitLoss FlowMonitor::watch(FitLoss loss) {
  return [this, loss = std::move(loss)](Tape& tape, std::int64_t update) {
    const Var recorded = loss(tape, update);
    observe(recorded, update);
    return recorded;
  };
}

FitCallback FlowMonitor::callback() {
  return [this](const FitState&) { return !stop_; };
}

void FlowMonitor::remember_in(FitMemory& memory) {
  memory.numbers.emplace_back("flow monitor: loss at the beginning", &beginning_.loss);
  memory.numbers.emplace_back("flow monitor: error at the beginning", &beginning_.error);
}

void FlowMonitor::observe(Var loss, std::int64_t update) {
  if (update % options_.every != 0) return;
  FlowReading reading{update + 1, loss.item(), flow_evidence(loss), {}};
  if (beginning_.loss == 0 && beginning_.error == 0) beginning_ = beginning_of(reading.layers);
  reading.judgement = judge(reading.layers, beginning_, options_.thresholds);
  latest_ = std::move(reading);
  if (options_.report && !options_.report(*latest_)) stop_ = true;
}

}  // namespace unroll
