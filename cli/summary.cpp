#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/random.hpp>
#include <unroll/layers/summary.hpp>

namespace unroll::cli {

int run_summary(const SummaryOptions& o) {
  Generator generator(0);
  const RecurrentStack stack(
      {.cell = o.cell, .input = o.input, .hidden = o.hidden, .layers = o.layers, .reset = o.reset}, generator);
  if (!o.json) {
    fmt::print("{}", summary(stack));
    return done;
  }
  Json rows = Json::array();
  for (const Parameter& p : stack.parameters())
    rows.push_back({{"name", p.name()}, {"shape", p.shape().vector()}, {"parameters", p.size()}});
  print_json({{"layer", stack.name()}, {"parameters", stack.parameter_count()}, {"rows", rows}});
  return done;
}

}  // namespace unroll::cli
