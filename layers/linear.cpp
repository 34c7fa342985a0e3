#include <unroll/layers/linear.hpp>

#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

namespace unroll {

Linear::Linear(const LinearOptions& options, Generator& generator) : Module(options.name) {
  require_positive(options.name, "input", options.input);
  require_positive(options.name, "output", options.output);
  W = add("W", glorot_uniform({options.input, options.output}, generator, options.dtype));
  b = add("b", Array({options.output}, options.dtype));
}

Var Linear::operator()(Var x) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  const Var weights = tape.use(W), bias = tape.use(b);
  const Shape shape = x.shape();
  if (shape.rank() == 2 || shape.rank() == 0) return affine(x, weights, bias);
  // every row alike: the axes in front become one
  std::vector<std::int64_t> extents = shape.vector();
  const std::int64_t features = extents.back();
  const Var rows = reshape(x, {features == 0 ? 0 : static_cast<std::int64_t>(shape.size()) / features, features});
  extents.back() = W.shape()[1];
  return reshape(affine(rows, weights, bias), Shape(extents));
}

}  // namespace unroll
