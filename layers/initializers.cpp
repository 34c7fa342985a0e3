#include <unroll/layers/initializers.hpp>

#include <unroll/core/kernels/linalg.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

// Columns of one block.
std::int64_t block_columns(const char* what, const Shape& shape, std::int64_t blocks) {
  if (shape.rank() != 2 || blocks < 1 || shape[1] % blocks != 0)
    throw ShapeError(fmt::format("{}: {} is no matrix of {} equal blocks of columns", what, to_string(shape), blocks));
  return shape[1] / blocks;
}

}  // namespace

Array uniform(Shape shape, double low, double high, Generator& generator, DType dtype) {
  Array array(std::move(shape), dtype);
  for (std::size_t i = 0; i < array.size(); ++i) array.set_flat(i, generator.uniform(low, high));
  return array;
}

Array normal(Shape shape, double deviation, Generator& generator, DType dtype) {
  Array array(std::move(shape), dtype);
  for (std::size_t i = 0; i < array.size(); ++i) array.set_flat(i, deviation * generator.normal());
  return array;
}

Array glorot_uniform(Shape shape, Generator& generator, DType dtype, std::int64_t blocks) {
  const std::int64_t columns = block_columns("glorot_uniform", shape, blocks);
  const double limit = std::sqrt(6.0 / static_cast<double>(shape[0] + columns));
  return uniform(std::move(shape), -limit, limit, generator, dtype);
}

Array orthogonal(Shape shape, Generator& generator, DType dtype, std::int64_t blocks) {
  const std::int64_t rows = shape[0], columns = block_columns("orthogonal", shape, blocks);
  Array result(shape, dtype);
  const bool wide = columns > rows;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const Array q = kernels::orthogonal_factor(
        normal({std::max(rows, columns), std::min(rows, columns)}, 1, generator, DType::f64));
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        result.set_flat(static_cast<std::size_t>(i * shape[1] + block * columns + j),
                        wide ? q.at({j, i}) : q.at({i, j}));
  }
  return result;
}

}  // namespace unroll
