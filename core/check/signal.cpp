#include <unroll/core/check/signal.hpp>

#include <unroll/core/grad/backward.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace unroll {

namespace {

double norm_of(const Gradients& gradients, Var x) { return gradients.contains(x) ? gradients.norm(x) : 0; }

// The last step at which a layer has a gradient.
std::optional<std::size_t> last_reached(const Gradients& gradients, const Recurrence& layer) {
  for (std::size_t i = layer.h.size(); i-- > 0;)
    if (gradients.contains(layer.h[i])) return i;
  return std::nullopt;
}

BackwardSignal read(const Gradients& gradients, const Recurrence& layer, std::size_t last, double error) {
  BackwardSignal signal;
  signal.error = error;
  signal.last = last;
  for (const Var& h : layer.h) signal.h.push_back(norm_of(gradients, h));
  for (const Var& c : layer.c) signal.c.push_back(norm_of(gradients, c));
  signal.entering = signal.h[last];
  std::vector<double> back;
  for (std::size_t k = 0; k <= last; ++k) back.push_back(signal.back(k));
  const double smallest = layer.h[0].dtype() == DType::f32 ? static_cast<double>(std::numeric_limits<float>::min())
                                                           : std::numeric_limits<double>::min();
  signal.half_life = half_life(back, smallest);
  return signal;
}

std::vector<Var> all_states(const std::vector<Recurrence>& layers, bool with_c) {
  std::vector<Var> states;
  for (const Recurrence& layer : layers) {
    states.insert(states.end(), layer.h.begin(), layer.h.end());
    if (with_c) states.insert(states.end(), layer.c.begin(), layer.c.end());
  }
  return states;
}

}  // namespace

double BackwardSignal::back(std::size_t steps) const {
  if (steps > last) return 0;
  const std::size_t i = last - steps;
  return steps == 0 || c.empty() ? h[i] : std::hypot(h[i], c[i]);
}

double BackwardSignal::arriving() const { return entering > 0 ? back(last) / entering : 1; }

double BackwardSignal::growth() const {
  double largest = 0;
  for (std::size_t k = 0; k <= last; ++k) {
    if (!std::isfinite(back(k))) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, back(k));
  }
  return entering > 0 ? largest / entering : 1;
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
  const Gradients direct = backward(loss, {.until = all_states(layers, false)});
  // the layers that the loss reads itself, the one that was computed last first
  std::vector<std::size_t> read_by_loss;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (last_reached(direct, layers[i])) read_by_loss.push_back(i);
  const auto last_node = [&](std::size_t i) { return layers[i].h[*last_reached(direct, layers[i])].id(); };
  std::sort(read_by_loss.begin(), read_by_loss.end(),
            [&](std::size_t a, std::size_t b) { return last_node(a) > last_node(b); });

  std::vector<bool> found(layers.size(), false);
  for (const std::size_t source : read_by_loss) {
    if (found[source]) continue;
    double squares = 0;
    for (const Var& h : layers[source].h) squares += std::pow(norm_of(direct, h), 2);
    const Var from = layers[source].h[*last_reached(direct, layers[source])];
    const Gradients gradients = backward(from, {.cotangent = direct[from].copy(), .also = all_states(layers, true)});
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (found[i]) continue;
      const auto last = last_reached(gradients, layers[i]);
      if (!last) continue;
      signals[i] = read(gradients, layers[i], *last, std::sqrt(squares));
      found[i] = true;
    }
  }
  return signals;
}

}  // namespace unroll
