#include "exercise.hpp"

#include "../course.hpp"

using namespace unroll;

std::int64_t rnn_parameters(std::int64_t input, std::int64_t hidden) { return (input + hidden + 1) * hidden; }

std::int64_t lstm_parameters(const LSTMCount& count) {
  const std::int64_t output = count.projection > 0 ? count.projection : count.hidden;
  const std::int64_t block = (count.input + output + count.biases) * count.hidden;
  const std::int64_t peepholes = count.peepholes ? 3 * count.hidden : 0;
  const std::int64_t projection = count.hidden * count.projection;
  return 4 * block + peepholes + projection;
}

std::int64_t gru_parameters(std::int64_t input, std::int64_t hidden, std::int64_t biases) {
  const std::int64_t columns = input + hidden + biases;
  return 3 * columns * hidden;
}

Array to_onnx(const Array& weight) {
  const std::int64_t hidden = weight.shape()[0] / 4, columns = weight.shape()[1];
  Array result(weight.shape(), weight.dtype());
  const std::int64_t from[] = {0, 3, 1, 2};  // i o f c of i f g o
  for (std::int64_t k = 0; k < 4; ++k)
    for (std::int64_t j = 0; j < hidden * columns; ++j) {
      const std::int64_t there = from[k] * hidden * columns + j, here = k * hidden * columns + j;
      result.set_flat(static_cast<std::size_t>(here), weight.flat(static_cast<std::size_t>(there)));
    }
  return result;
}

namespace {

Array as_columns(const Array& rows) {
  const std::int64_t m = rows.shape()[0], n = rows.shape()[1];
  Array columns({n, m}, rows.dtype());
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      columns.set_flat(static_cast<std::size_t>(j * m + i), rows.flat(static_cast<std::size_t>(i * n + j)));
  return columns;
}

}  // namespace

LSTM from_pytorch(const PyTorchLSTM& theirs) {
  Generator any(1);
  LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, any);
  lstm.W_x.assign(as_columns(theirs.weight_ih_l0));
  lstm.W_h.assign(as_columns(theirs.weight_hh_l0));
  Array b = theirs.bias_ih_l0.copy();
  for (std::size_t i = 0; i < b.size(); ++i) b.set_flat(i, b.flat(i) + theirs.bias_hh_l0.flat(i));
  lstm.b.assign(b);
  return lstm;
}
