#include <unroll/core/kernels/loops.hpp>

namespace unroll::kernels {

namespace {

// The step of an operand along an axis of the common shape, counted from the last axis (1 is the last).
std::int64_t step_from_end(const Operand& operand, std::size_t from_end) {
  const Shape& shape = *operand.shape;
  if (from_end > shape.rank()) return 0;
  const std::size_t axis = shape.rank() - from_end;
  if (shape[axis] == 1) return 0;
  if (operand.strides) return operand.strides[axis];
  std::int64_t step = 1;
  for (std::size_t inner = axis + 1; inner < shape.rank(); ++inner) step *= shape[inner];
  return step;
}

}  // namespace

Nest::Nest(const Shape& common, std::span<const Operand> list) : operands(list.size()) {
  for (std::size_t from_end = 1; from_end <= common.rank(); ++from_end) {
    const std::int64_t n = common[common.rank() - from_end];
    if (n == 1) continue;
    std::array<std::int64_t, max_operands> step{};
    for (std::size_t i = 0; i < operands; ++i) step[i] = step_from_end(list[i], from_end);
    bool joins = axes > 0;
    for (std::size_t i = 0; joins && i < operands; ++i) joins = step[i] == stride[i][axes - 1] * extent[axes - 1];
    if (joins) {
      extent[axes - 1] *= n;
      continue;
    }
    extent[axes] = n;
    for (std::size_t i = 0; i < operands; ++i) stride[i][axes] = step[i];
    ++axes;
  }
  if (axes == 0) {
    axes = 1;
    extent[0] = common.size() == 0 ? 0 : 1;
    for (std::size_t i = 0; i < operands; ++i) stride[i][0] = 1;
  }
}

std::size_t Nest::outer_size() const {
  std::size_t n = extent[0] == 0 ? 0 : 1;
  for (std::size_t axis = 1; axis < axes; ++axis) n *= static_cast<std::size_t>(extent[axis]);
  return n;
}

}  // namespace unroll::kernels
