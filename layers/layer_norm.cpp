#include <unroll/layers/layer_norm.hpp>

namespace unroll {

Var normalized(Var x, double epsilon) {
  const Var centred = x - mean(x, {-1}, true);
  const Var variance = mean(square(centred), {-1}, true);
  return centred / sqrt(variance + epsilon);
}

Var layer_norm(Var x, Var gain, Var bias, double epsilon) { return normalized(x, epsilon) * gain + bias; }

}  // namespace unroll
