#include <unroll/core/check/signal.hpp>

#include <unroll/core/grad/backward.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace unroll {

namespace {

double norm_of(const Gradients& gradients, Var x) { return gradients.contains(x) ? gradients.norm(x) : 0; }

// The last step at which a layer has a gradient: one that is not 0, if there is such a step.
std::optional<std::size_t> last_reached(const Gradients& gradients, const Recurrence& layer) {
  std::optional<std::size_t> last;
  for (std::size_t i = layer.h.size(); i-- > 0;) {
    if (!gradients.contains(layer.h[i])) continue;
    if (gradients.norm(layer.h[i]) != 0) return i;
    if (!last) last = i;
  }
  return last;
}

std::size_t first_reached(const Gradients& gradients, const Recurrence& layer, std::size_t last) {
  for (std::size_t i = 0; i < last; ++i)
    for (const Var& state : layer.state(i))
      if (gradients.contains(state)) return i;
  return last;
}

BackwardSignal read(const Gradients& gradients, const Recurrence& layer, std::size_t last, double error) {
  BackwardSignal signal;
  signal.reached = true;
  signal.error = error;
  signal.last = last;
  signal.first = first_reached(gradients, layer, last);
  if (signal.first > 0) signal.cut_before = layer.steps[signal.first];
  for (const Var& h : layer.h) signal.h.push_back(norm_of(gradients, h));
  for (const Var& c : layer.c) signal.c.push_back(norm_of(gradients, c));
  signal.entering = signal.h[last];
  std::vector<double> back;
  for (std::size_t k = 0; k <= last - signal.first; ++k) back.push_back(signal.back(k));
  const double smallest = layer.h[0].dtype() == DType::f32 ? static_cast<double>(std::numeric_limits<float>::min())
                                                           : std::numeric_limits<double>::min();
  signal.half_life = half_life(back, smallest);
  return signal;
}

// What the loss reads of one layer: L_T, as the adjoint of a state, and the error of all steps.
struct Source {
  std::size_t layer, step;
  Var state;
  double error;
};

// Those of all layers that it reads, the one that was computed last first.
std::vector<Source> sources(const Gradients& direct, const std::vector<Recurrence>& layers) {
  std::vector<Source> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto last = last_reached(direct, layers[i]);
    if (!last) continue;
    double squares = 0;
    for (const Var& h : layers[i].h) squares += std::pow(norm_of(direct, h), 2);
    all.push_back({i, *last, layers[i].h[*last], std::sqrt(squares)});
  }
  std::sort(all.begin(), all.end(), [](const Source& a, const Source& b) { return a.state.id() > b.state.id(); });
  return all;
}

template <class Keep> std::vector<Var> states(const std::vector<Recurrence>& layers, const Keep& keep) {
  std::vector<Var> chosen;
  for (const Recurrence& layer : layers)
    for (std::size_t i = 0; i < layer.h.size(); ++i)
      if (keep(layer.steps[i]))
        for (const Var& state : layer.state(i)) chosen.push_back(state);
  return chosen;
}

}  // namespace

double BackwardSignal::back(std::size_t steps) const {
  if (steps > last) return 0;
  const std::size_t i = last - steps;
  return steps == 0 || c.empty() ? h[i] : std::hypot(h[i], c[i]);
}

double BackwardSignal::arriving() const { return entering == 0 ? 0 : back(last - first) / entering; }

double BackwardSignal::growth() const {
  double largest = 0;
  for (std::size_t k = 0; k <= last - first; ++k) {
    if (!std::isfinite(back(k))) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, back(k));
  }
  return entering == 0 ? 0 : largest / entering;
}

std::optional<double> half_life(std::span<const double> signal, double smallest) {
  std::vector<std::pair<double, double>> points;  // steps back, log2
  for (std::size_t k = 0; k < signal.size(); ++k)
    if (std::isfinite(signal[k]) && signal[k] >= smallest)
      points.emplace_back(static_cast<double>(k), std::log2(signal[k]));
  const bool entered = !points.empty() && points[0].first == 0;
  if (entered && points.size() == 1 && signal.size() > 1) return 0;
  if (entered && points.size() > 2) points.erase(points.begin());
  if (points.size() < 2) return std::nullopt;
  double mean_k = 0, mean_log = 0;
  for (const auto& [k, log] : points) {
    mean_k += k / static_cast<double>(points.size());
    mean_log += log / static_cast<double>(points.size());
  }
  double products = 0, squares = 0;
  for (const auto& [k, log] : points) {
    products += (k - mean_k) * (log - mean_log);
    squares += (k - mean_k) * (k - mean_k);
  }
  const double slope = products / squares;
  constexpr double rounding = 1e-9;  // less than that over the whole way is no decay
  if (!(slope * (points.back().first - points.front().first) < -rounding)) return std::nullopt;
  return -1 / slope;
}

std::vector<BackwardSignal> backward_signals(Var loss, const std::vector<Recurrence>& layers) {
  std::vector<BackwardSignal> signals(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    signals[i].h.assign(layers[i].h.size(), 0);
    signals[i].c.assign(layers[i].c.size(), 0);
  }
  std::vector<Var> every_h;
  for (const Recurrence& layer : layers) every_h.insert(every_h.end(), layer.h.begin(), layer.h.end());
  const Gradients direct = backward(loss, {.until = every_h});

  std::vector<bool> at_once(layers.size(), false);  // followed from where it is reached without going back in time
  for (const Source& source : sources(direct, layers)) {
    const std::int32_t now = source.state.node().place.step;
    const Array error = direct[source.state].copy();
    const Gradients through_time =
        backward(source.state, {.cotangent = error, .also = states(layers, [](std::int32_t) { return true; })});
    const Gradients within_step =
        backward(source.state, {.cotangent = error,
                                .also = states(layers, [&](std::int32_t step) { return step == now; }),
                                .until = states(layers, [&](std::int32_t step) { return step != now; })});
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto last = i == source.layer ? source.step : last_reached(within_step, layers[i]);
      const bool here = last.has_value();
      if (!here) last = last_reached(through_time, layers[i]);
      if (!last) continue;
      // rather at once than through time, then rather late than early, then from the layer that was computed last
      if (signals[i].reached && (at_once[i] != here ? at_once[i] : signals[i].last >= *last)) continue;
      signals[i] = read(through_time, layers[i], *last, source.error);
      at_once[i] = here;
    }
  }
  return signals;
}

}  // namespace unroll
