#include <unroll/examples/data.hpp>
#include <unroll/examples/examples.hpp>

#include <unroll/layers/gru.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/optim/optimizers.hpp>

#include <cmath>
#include <functional>
#include <numbers>

#include <fmt/format.h>

// Many-to-many, synchronised: every month a measured temperature goes in and the next month's comes out. The series is the sea surface
// temperature off Peru from 1950 to 2010, where El Niño shows first. (The sizes and rates below did best on 1987 to 1998, learned from the
// years before. Others had been tried on the held-out years after 1998, too.)
namespace unroll::examples {

namespace {

constexpr std::size_t held_out_months = 144;  // 1999 to 2010
constexpr std::int64_t window = 60;           // months of a training sequence
constexpr double mean_temperature = 23,
                 scale = 2;  // roughly those of the series, so that the network sees numbers around 0

// At every month it says by how much the temperature will change. It sees the temperature, and the time of the year as a point on a circle.
class Network : public Module {
 public:
  explicit Network(Generator& generator)
      : Module("forecaster"),
        gru({.input = 3, .hidden = 32}, generator),
        readout({.input = 32, .output = 1, .name = "readout"}, generator) {
    add(gru);
    add(readout);
  }

  std::pair<Var, HiddenState> operator()(Var x, HiddenState before) const {
    const auto [h, after] = gru(x, before);
    const Var change = readout(h).named("change"), now = slice(x, 1, 0, 1);
    return {(now + change).named("y"), after};
  }

  GRU gru;
  Linear readout;
};

// What goes in, (time, sequences, 3), for sequences of some length that begin at some months.
Array inputs(const std::vector<double>& series, const std::vector<std::size_t>& begins, std::int64_t length) {
  Array xs({length, std::ssize(begins), 3});
  std::size_t i = 0;
  for (std::size_t t = 0; t < static_cast<std::size_t>(length); ++t)
    for (const std::size_t begin : begins) {
      const double year = static_cast<double>((begin + t) % 12) / 12 * 2 * std::numbers::pi;
      for (const double x : {(series[begin + t] - mean_temperature) / scale, std::sin(year), std::cos(year)})
        xs.set_flat(i++, x);
    }
  return xs;
}

Array targets(const std::vector<double>& series, const std::vector<std::size_t>& begins, std::int64_t length) {
  Array ys({length, std::ssize(begins), 1});
  std::size_t i = 0;
  for (std::size_t t = 1; t <= static_cast<std::size_t>(length); ++t)
    for (const std::size_t begin : begins) ys.set_flat(i++, (series[begin + t] - mean_temperature) / scale);
  return ys;
}

Sequence<HiddenState> run(const Network& network, Tape& tape, const Array& xs) {
  return over_time(network, tape.constant(xs, "x"), network.gru.zero_state(tape, xs.shape()[1]));
}

Var loss_of(const Network& network, Tape& tape, const std::vector<double>& series,
            const std::vector<std::size_t>& begins, std::int64_t length) {
  const Sequence<HiddenState> predicted = run(network, tape, inputs(series, begins, length));
  return mse(predicted.stacked(), tape.constant(targets(series, begins, length), "target")).named("L");
}

// The mean temperature of each calendar month, in the years to learn from.
std::vector<double> calendar(const std::vector<double>& series) {
  std::vector<double> means(12);
  const std::size_t years = (series.size() - held_out_months) / 12;
  for (std::size_t i = 0; i < years * 12; ++i) means[i % 12] += series[i] / static_cast<double>(years);
  return means;
}

// The root of the mean squared error over the held-out months, in degrees.
double error(const std::vector<double>& series, const std::function<double(std::size_t month)>& forecast) {
  double sum = 0;
  for (std::size_t i = series.size() - held_out_months; i < series.size(); ++i) {
    const double miss = forecast(i) - series[i];
    sum += miss * miss;
  }
  return std::sqrt(sum / static_cast<double>(held_out_months));
}

}  // namespace

Outcome series(const RunOptions& options) {
  Generator generator(options.seed);
  const Network network(generator);
  const std::vector<double> series = sea_temperatures();
  const std::size_t learned = series.size() - held_out_months;

  const auto loss = [&](Tape& tape, std::int64_t) {
    std::vector<std::size_t> begins;
    for (int i = 0; i < 16; ++i) begins.push_back(generator.below(learned - static_cast<std::size_t>(window)));
    return loss_of(network, tape, series, begins, window);
  };
  AdamW adam(network.parameters(), {.learning_rate = 0.003, .weight_decay = 0.3});
  fit(loss, adam,
      {.updates = options.updates,
       .clip = 1,
       .schedule = [](double x) { return 1 - x; },
       .callbacks = options.callbacks});

  // One month ahead, through the whole series in one go: the forecast for a month has seen all months before it.
  Tape tape;
  const Sequence<HiddenState> predicted = run(network, tape, inputs(series, {0}, std::ssize(series) - 1));
  const auto forecast = [&](std::size_t month) {
    return mean_temperature + scale * predicted.outputs[month - 1].item();
  };
  const std::vector<double> mean = calendar(series);
  const auto seasonal = [&](std::size_t month) { return mean[month % 12]; };
  const auto deviating = [&](std::size_t month) { return seasonal(month) + series[month - 1] - seasonal(month - 1); };

  std::string shown = "the last year, in degrees Celsius:\n  month      measured  forecast  mean of the month\n";
  for (std::size_t i = series.size() - 12; i < series.size(); ++i)
    shown += fmt::format("  {}-{:02}  {:>10.2f}{:>10.2f}{:>10.2f}\n", 1950 + i / 12, i % 12 + 1, series[i], forecast(i),
                         seasonal(i));
  return {.score_name = fmt::format("error of the forecast for the next month over the last {} months, held out: root "
                                    "of the mean square, in degrees",
                                    held_out_months),
          .score = error(series, forecast),
          .higher_is_better = false,
          .baselines = {{"as much off the mean of the month as this month", error(series, deviating)},
                        {"the mean of the month", error(series, seasonal)},
                        {"as this month", error(series, [&](std::size_t month) { return series[month - 1]; })}},
          .parameters = static_cast<std::int64_t>(network.parameter_count()),
          .shown = shown,
          .picture = [network, series](Tape& t) { return loss_of(network, t, series, {series.size() - 4}, 3); }};
}

}  // namespace unroll::examples
