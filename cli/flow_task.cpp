#include <unroll/cli/flow_task.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/over_time.hpp>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

constexpr std::int64_t symbols = 4;
constexpr double noise = 0.2;

std::int64_t features(const std::string& task) { return task == "recall" ? symbols : 2; }
std::int64_t answers(const std::string& task) { return task == "recall" ? symbols : 1; }

// One batch: the inputs (time, batch, feature), and what is asked for.
struct Batch {
  Array x;
  std::vector<std::int64_t> symbol;  // recall
  Array sum;                         // adding, (batch, 1)
};

Batch draw(const FlowNetworkOptions& o, Generator& generator) {
  const std::int64_t n = features(o.task);
  if (o.task == "last") return {normal({o.steps, o.batch, n}, 1, generator, DType::f64), {}, {}};
  Batch batch;
  const auto width = static_cast<std::size_t>(n), rows = static_cast<std::size_t>(o.batch);
  if (o.task == "recall") {
    batch.x = normal({o.steps, o.batch, n}, noise, generator, DType::f64);
    for (std::size_t b = 0; b < rows; ++b) {
      batch.symbol.push_back(static_cast<std::int64_t>(generator.below(symbols)));
      for (std::size_t j = 0; j < width; ++j)
        batch.x.set_flat(b * width + j, j == static_cast<std::size_t>(batch.symbol.back()) ? 1 : 0);
    }
    return batch;
  }
  // adding: one mark in each half
  batch.x = Array({o.steps, o.batch, n}, DType::f64);
  batch.sum = Array({o.batch, 1}, DType::f64);
  const auto steps = static_cast<std::uint64_t>(o.steps), half = steps / 2;
  for (std::size_t b = 0; b < rows; ++b) {
    const std::uint64_t first = generator.below(half), second = half + generator.below(steps - half);
    double sum = 0;
    for (std::uint64_t t = 0; t < steps; ++t) {
      const double value = generator.uniform();
      const bool marked = t == first || t == second;
      batch.x.set_flat((t * rows + b) * width, value);
      batch.x.set_flat((t * rows + b) * width + 1, marked ? 1 : 0);
      if (marked) sum += value;
    }
    batch.sum.set_flat(b, sum);
  }
  return batch;
}

}  // namespace

FlowNetwork::FlowNetwork(const FlowNetworkOptions& o) : FlowNetwork(o, Generator(o.seed)) {}

FlowNetwork::FlowNetwork(const FlowNetworkOptions& o, Generator generator)
    : options_(o),
      stack_({.cell = o.cell,
              .input = features(o.task),
              .hidden = o.hidden,
              .layers = o.layers,
              .reset = Reset::before,
              .dtype = DType::f64},
             generator),
      readout_({.input = o.hidden, .output = answers(o.task), .name = "readout", .dtype = DType::f64}, generator) {
  if (o.task == "adding" && o.steps < 2)
    throw Error("the task adding has two numbers to add: --steps must be at least 2");
}

std::vector<Parameter> FlowNetwork::parameters() const {
  std::vector<Parameter> all = stack_.parameters();
  if (options_.task != "last")
    for (const Parameter& p : readout_.parameters()) all.push_back(p);
  return all;
}

std::vector<Var> FlowNetwork::losses(Tape& tape, Generator& generator, const std::vector<std::int64_t>& asked) const {
  const Batch batch = draw(options_, generator);
  const std::vector<Var> outputs = over_time(stack_, tape.constant(batch.x, "xs")).outputs;
  std::vector<Var> losses;
  for (const std::int64_t step : asked) {
    const Var h = outputs.at(static_cast<std::size_t>(step - 1));
    if (options_.task == "last")
      losses.push_back(mean(square(h)));
    else if (options_.task == "recall")
      losses.push_back(cross_entropy(readout_(h), batch.symbol));
    else
      losses.push_back(mse(readout_(h), tape.constant(batch.sum)));
    losses.back().named("L");
  }
  return losses;
}

}  // namespace unroll::cli
