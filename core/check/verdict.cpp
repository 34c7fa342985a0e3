#include <unroll/core/check/verdict.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

namespace {

// The rules and their reasons.
class Judge {
 public:
  Judge(const FlowEvidence& now, const std::optional<FlowBeginning>& beginning, const VerdictThresholds& thresholds)
      : now_(now),
        first_(beginning.value_or(FlowBeginning{now.loss, now.error})),
        known_(beginning.has_value()),
        limit_(thresholds) {}

  Judgement run() const {
    Judgement judgement{decide(), {}};
    const auto say = [&](std::string sentence) { judgement.grounds.push_back(std::move(sentence)); };
    switch (judgement.verdict) {
      case Verdict::exploding: say(finite() ? about_growth() : about_non_finite()); break;
      case Verdict::converged: say(about_error() + " There is little left to learn from."); break;
      case Verdict::saturated:
        say(error_gone() ? about_error() + " The readout does not let it through." : about_gates());
        break;
      case Verdict::vanishing:
      case Verdict::healthy: say(about_arrival()); break;
    }
    if (!finite()) return judgement;
    if (!error_gone()) say(about_error());
    if (judgement.verdict != Verdict::vanishing && judgement.verdict != Verdict::healthy) say(about_arrival());
    if (enters() && now_.steps_back > 0) say(about_half_life());
    if (enters() && now_.cut_before)
      say(fmt::format("Gradients are cut before step {}: what came earlier cannot be learned from.", *now_.cut_before));
    if (judgement.verdict != Verdict::saturated || error_gone()) say(about_gates());
    return judgement;
  }

 private:
  bool finite() const {
    return std::isfinite(now_.loss) && std::isfinite(now_.error) && std::isfinite(now_.entering) &&
           std::isfinite(now_.arriving) && std::isfinite(now_.growth);
  }
  bool error_gone() const { return now_.error <= limit_.error * first_.error; }
  bool enters() const { return now_.entering != 0; }
  bool lost() const { return !enters() || (now_.steps_back > 0 && now_.arriving < limit_.arriving); }

  Verdict decide() const {
    if (!finite()) return Verdict::exploding;
    if (error_gone()) return now_.loss <= limit_.loss * first_.loss ? Verdict::converged : Verdict::saturated;
    if (now_.growth >= limit_.growth) return Verdict::exploding;
    if (now_.saturated >= limit_.saturated_alone) return Verdict::saturated;
    if (lost()) return now_.saturated >= limit_.saturated_and_lost ? Verdict::saturated : Verdict::vanishing;
    return Verdict::healthy;
  }

  std::string about_non_finite() const {
    return fmt::format("The loss is {:.3g} and the gradient at the output {:.3g}: numbers have overflowed.", now_.loss,
                       now_.error);
  }
  std::string about_growth() const {
    return fmt::format("The gradient grows to {:.3g} times what entered at the last step, on its way back of {} steps.",
                       now_.growth, now_.steps_back);
  }
  std::string about_error() const {
    if (!known_) return fmt::format("The error at the output is {:.3g}, the loss {:.3g}.", now_.error, now_.loss);
    return fmt::format(
        "The error at the output is {:.3g}, {:.3g} % of that at the beginning; the loss {:.3g}, {:.3g} %.", now_.error,
        100 * now_.error / first_.error, now_.loss, 100 * now_.loss / first_.loss);
  }
  std::string about_arrival() const {
    if (!enters()) return "Nothing of the error enters the layer.";
    return fmt::format(
        "Of the gradient that enters at the last step, {:.3g} % arrives {} steps earlier, at the first{}.",
        100 * now_.arriving, now_.steps_back, now_.cut_before ? " before a cut" : "");
  }
  std::string about_half_life() const {
    if (now_.half_life == 0.0) return "Nothing is left of it after one step.";
    if (now_.half_life) return fmt::format("It halves every {:.3g} steps.", *now_.half_life);
    return now_.arriving < 0.5 ? "It does not decay evenly: there is no half-life." : "It does not halve on its way.";
  }
  std::string about_gates() const {
    return fmt::format("{:.3g} % of the values of the gates are saturated.", 100 * now_.saturated);
  }

  const FlowEvidence& now_;
  FlowBeginning first_;
  bool known_;
  const VerdictThresholds& limit_;
};

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::converged: return "converged";
    case Verdict::healthy: return "healthy";
    case Verdict::vanishing: return "vanishing";
    case Verdict::saturated: return "saturated";
    case Verdict::exploding: return "exploding";
  }
  return "";
}

FlowEvidence evidence(double loss, const std::string& layer, const BackwardSignal& signal,
                      const std::vector<GateFlow>& gates) {
  FlowEvidence e;
  e.layer = layer;
  e.loss = loss;
  e.reached = signal.reached;
  e.steps_back = static_cast<std::int64_t>(signal.last - signal.first);
  e.cut_before = signal.cut_before;
  e.error = signal.error;
  e.entering = signal.entering;
  e.arriving = signal.arriving();
  e.growth = signal.growth();
  e.half_life = signal.half_life;
  double count = 0;
  for (const GateFlow& gate : gates)
    for (const double part : gate.saturated) {
      e.saturated += part;
      ++count;
    }
  if (count > 0) e.saturated /= count;
  return e;
}

std::vector<FlowEvidence> evidence(const GradientFlow& flow) {
  std::vector<FlowEvidence> all;
  for (const LayerFlow& layer : flow.layers) all.push_back(evidence(flow.loss, layer.layer, layer.signal, layer.gates));
  return all;
}

std::vector<FlowEvidence> flow_evidence(Var loss) {
  const std::vector<Recurrence> layers = require_recurrences(loss.tape());
  const std::vector<BackwardSignal> signals = backward_signals(loss, layers);
  std::vector<FlowEvidence> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<GateFlow> gates;
    for (const RecurrenceGate& gate : layers[i].gates) gates.push_back(gate_flow(gate));
    all.push_back(evidence(loss.item(), layers[i].layer, signals[i], gates));
  }
  return all;
}

FlowBeginning beginning_of(const std::vector<FlowEvidence>& layers) {
  FlowBeginning beginning;
  for (const FlowEvidence& layer : layers) {
    beginning.loss = layer.loss;
    beginning.error = std::max(beginning.error, layer.error);
  }
  return beginning;
}

Judgement judge(const FlowEvidence& now, const std::optional<FlowBeginning>& beginning,
                const VerdictThresholds& thresholds) {
  return Judge(now, beginning, thresholds).run();
}

Judgement judge(const std::vector<FlowEvidence>& layers, const std::optional<FlowBeginning>& beginning,
                const VerdictThresholds& thresholds) {
  if (layers.empty()) throw Error("judge: there is no layer to judge");
  std::optional<Judgement> worst;
  std::vector<std::string> unread;
  for (const FlowEvidence& layer : layers) {
    if (!layer.reached) {
      unread.push_back(layer.layer);
      continue;
    }
    Judgement own = judge(layer, beginning, thresholds);
    if (layers.size() > 1) own.grounds.front() = layer.layer + ": " + own.grounds.front();
    if (!worst || own.verdict > worst->verdict) worst = std::move(own);
  }
  if (!worst)
    throw Error(fmt::format("judge: the loss depends on no recurrent layer: not on {}", fmt::join(unread, ", ")));
  if (!unread.empty())
    worst->grounds.push_back(
        fmt::format("Left out, because the loss does not depend on it: {}.", fmt::join(unread, ", ")));
  return *worst;
}

}  // namespace unroll
