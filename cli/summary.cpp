#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/random.hpp>
#include <unroll/layers/summary.hpp>

namespace unroll::cli {

namespace {

int report(const Module& layers, const SummaryOptions& o) {
  if (!o.json) {
    fmt::print("{}", summary(layers));
    return done;
  }
  Json rows = Json::array();
  for (const Parameter& p : layers.parameters())
    rows.push_back({{"name", p.name()}, {"shape", p.shape().vector()}, {"parameters", p.size()}});
  print_json({{"layer", layers.name()}, {"parameters", layers.parameter_count()}, {"rows", rows}});
  return done;
}

}  // namespace

int run_summary(const SummaryOptions& o) {
  Generator generator(0);
  const RecurrentStackOptions options{.cell = o.cell,
                                      .input = o.input,
                                      .hidden = o.hidden,
                                      .layers = o.layers,
                                      .reset = o.reset,
                                      .layer_norm = o.layer_norm,
                                      .projection = o.projection};
  if (o.bidirectional) return report(bidirectional(options, generator), o);
  return report(RecurrentStack(options, generator), o);
}

}  // namespace unroll::cli
