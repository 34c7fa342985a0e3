#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/random.hpp>

namespace unroll {

// First values of parameters. All draw from the generator in row-major order, so equal seeds give equal weights.

// Uniform from `low` to below `high`.
Array uniform(Shape shape, double low, double high, Generator& generator, DType dtype = DType::f32);
// Normal with mean 0 and this standard deviation.
Array normal(Shape shape, double deviation, Generator& generator, DType dtype = DType::f32);

// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). The shape is (fan_in, blocks * fan_out): the gates of a
// cell stand side by side in one matrix, and each is a block of its own.
Array glorot_uniform(Shape shape, Generator& generator, DType dtype = DType::f32, std::int64_t blocks = 1);

// Orthogonal columns (Saxe, McClelland and Ganguli 2014), for each block of a (rows, blocks * columns) matrix; rows for a block wider
// than high.
Array orthogonal(Shape shape, Generator& generator, DType dtype = DType::f32, std::int64_t blocks = 1);

}  // namespace unroll
