#include <unroll/layers/gradcheck.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

namespace unroll::detail {

std::vector<CheckedLeaf> random_sequence(const LayerCheckOptions& options, std::int64_t input, DType dtype,
                                         std::span<const Var> state) {
  require_positive("gradcheck", "steps", options.steps);
  require_positive("gradcheck", "batch", options.batch);
  require_positive("gradcheck", "input", input);
  Generator generator(options.gradcheck.seed + 1);
  std::vector<CheckedLeaf> leaves{
      {Parameter("x", normal({options.steps, options.batch, input}, 1, generator, dtype)), {"t", "batch", ""}}};
  const std::vector<std::string> names = state_names(state);
  for (std::size_t i = 0; i < state.size(); ++i)
    leaves.push_back(
        {Parameter(names[i] + "0", normal(state[i].shape(), 1, generator, state[i].dtype())),
         state[i].shape().rank() == 2 ? std::vector<std::string>{"batch", ""} : std::vector<std::string>{}});
  return leaves;
}

Var flattened(std::span<const Var> vars) {
  std::vector<Var> rows;
  for (const Var& v : vars) rows.push_back(reshape(v, {static_cast<std::int64_t>(v.shape().size())}));
  return concat(rows, 0);
}

DType dtype_of(const std::vector<Parameter>& parameters) {
  return parameters.empty() ? DType::f64 : parameters[0].dtype();
}

}  // namespace unroll::detail
