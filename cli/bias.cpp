#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/check/gradient_bias.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/initializers.hpp>

namespace unroll::cli {

namespace {

struct Measured {
  std::int64_t k2 = 0;
  std::size_t nodes = 0;  // recorded by the forward pass
  GradientBias bias;
};

Json json(const GradientDistance& d) {
  return {{"name", d.name},
          {"relative_error", d.relative_error},
          {"cosine", d.cosine},
          {"norm", d.approximate_norm},
          {"full_norm", d.exact_norm}};
}

Json json(const Measured& m, std::int64_t k1) {
  Json row = json(m.bias.all);
  row.erase("name");
  row["k1"] = k1;
  row["k2"] = m.k2;
  row["nodes"] = m.nodes;
  for (const GradientDistance& d : m.bias.parameters) row["parameters"].push_back(json(d));
  return row;
}

std::string row(const std::string& k2, const GradientDistance& d, std::size_t nodes) {
  const std::string cosine = d.cosine == d.cosine ? fmt::format("{:.6f}", d.cosine) : "-";
  return fmt::format("{:>6}  {:>14.3g}  {:>9}  {:>10.4g}  {:>8}\n", k2, d.relative_error, cosine, d.approximate_norm,
                     nodes);
}

template <class Layer> std::vector<Measured> measure(const Layer& layer, const BiasOptions& o, Generator& generator) {
  const Array inputs = normal({o.steps, o.batch, o.input}, 1, generator, DType::f64);
  Tape tape;
  std::size_t nodes = 0;
  const auto gradients = [&](std::int64_t k1, std::int64_t k2) {
    tape.clear();
    const Var xs = tape.constant(inputs, "x");
    const auto sequence =
        over_time(layer, xs, layer.zero_state(tape, o.batch), {.truncate = Truncation{.k1 = k1, .k2 = k2}});
    const Var loss = mean(square(sequence.stacked())).named("L");
    nodes = tape.size();
    return backward(loss);
  };
  const Gradients full = gradients(o.steps, o.steps);
  std::vector<Measured> result;
  const auto compare = [&](std::int64_t k2, const Gradients& g) {
    result.push_back({k2, nodes, gradient_bias(g, full, layer.parameters())});
  };
  compare(0, full);
  for (const std::int64_t k2 : o.k2) compare(k2, gradients(o.k1, k2));
  return result;
}

std::vector<Measured> measure(const BiasOptions& o) {
  Generator generator(o.seed);
  switch (o.cell) {
    case CellKind::rnn:
      return measure(RNN({.input = o.input, .hidden = o.hidden, .dtype = DType::f64}, generator), o, generator);
    case CellKind::gru:
      return measure(GRU({.input = o.input, .hidden = o.hidden, .reset = o.reset, .dtype = DType::f64}, generator), o,
                     generator);
    case CellKind::lstm: break;
  }
  return measure(LSTM({.input = o.input, .hidden = o.hidden, .dtype = DType::f64}, generator), o, generator);
}

}  // namespace

int run_bias(const BiasOptions& given) {
  BiasOptions o = given;
  if (o.k2.empty()) o.k2 = {o.k1, 2 * o.k1, 4 * o.k1};
  std::vector<Measured> measured = measure(o);
  const Measured full = measured.front();
  measured.erase(measured.begin());
  if (o.json) {
    Json rows = Json::array();
    for (const Measured& m : measured) rows.push_back(json(m, o.k1));
    print_json({{"cell", to_string(o.cell)}, {"steps", o.steps}, {"full_nodes", full.nodes}, {"rows", rows}});
    return done;
  }
  fmt::print("{}, T = {}, k1 = {}\n\n{:>6}  {:>14}  {:>9}  {:>10}  {:>8}\n", to_string(o.cell), o.steps, o.k1, "k2",
             "relative error", "cosine", "|gradient|", "nodes");
  for (const Measured& m : measured) fmt::print("{}", row(std::to_string(m.k2), m.bias.all, m.nodes));
  fmt::print("{}", row("full", full.bias.all, full.nodes));
  if (!o.parameters) return done;
  for (const Measured& m : measured) fmt::print("\nk2 = {}\n{}", m.k2, to_string(m.bias));
  return done;
}

}  // namespace unroll::cli
