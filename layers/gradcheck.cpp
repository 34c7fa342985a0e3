#include <unroll/layers/gradcheck.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

namespace unroll::detail {

std::vector<Parameter> random_sequence(const LayerCheckOptions& options, std::int64_t input,
                                       std::span<const Var> state) {
  require_positive("gradcheck", "steps", options.steps);
  require_positive("gradcheck", "batch", options.batch);
  require_positive("gradcheck", "input", input);
  Generator generator(options.gradcheck.seed + 1);
  std::vector<Parameter> leaves{{"x", normal({options.steps, options.batch, input}, 1, generator, DType::f64)}};
  const std::vector<std::string> names = state_names(state);
  for (std::size_t i = 0; i < state.size(); ++i)
    leaves.emplace_back(names[i] + "0", normal(state[i].shape(), 1, generator, DType::f64));
  return leaves;
}

Var flattened(std::span<const Var> vars) {
  std::vector<Var> rows;
  for (const Var& v : vars) rows.push_back(reshape(v, {static_cast<std::int64_t>(v.shape().size())}));
  return concat(rows, 0);
}

}  // namespace unroll::detail
