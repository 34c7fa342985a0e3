#include <unroll/layers/gradcheck.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

namespace unroll::detail {

std::vector<Parameter> random_sequence(const LayerCheckOptions& options, std::int64_t input, std::int64_t hidden,
                                       const std::vector<std::string>& states) {
  require_positive("gradcheck", "steps", options.steps);
  require_positive("gradcheck", "batch", options.batch);
  Generator generator(options.gradcheck.seed + 1);
  std::vector<Parameter> leaves{{"x", normal({options.steps, options.batch, input}, 1, generator, DType::f64)}};
  for (const std::string& name : states)
    leaves.emplace_back(name, normal({options.batch, hidden}, 1, generator, DType::f64));
  return leaves;
}

}  // namespace unroll::detail
