#include "exercise.hpp"

#include "../course.hpp"

using namespace unroll;
using course::hole;

std::int64_t rnn_parameters(std::int64_t input, std::int64_t hidden) {
  (void)input, (void)hidden;
  return hole("the sizes of W, U and b, added up");
}

std::int64_t lstm_parameters(const LSTMCount& count) {
  (void)count;
  return hole("four blocks of an RNN's size, and what the options add");
}

std::int64_t gru_parameters(std::int64_t input, std::int64_t hidden, std::int64_t biases) {
  (void)input, (void)hidden, (void)biases;
  return hole("the sizes of a GRU's blocks, added up");
}

Array to_onnx(const Array& weight) {
  const std::int64_t hidden = weight.shape()[0] / 4, columns = weight.shape()[1];
  Array result(weight.shape(), weight.dtype());
  // Element (row, column) stands at position row * columns + column: weight.flat(position), result.set_flat(position, number).
  (void)hidden, (void)columns;
  return hole("PyTorch's blocks in ONNX's order");
}

LSTM from_pytorch(const PyTorchLSTM& theirs) {
  Generator any(1);
  LSTM lstm({.input = 2, .hidden = 3, .dtype = DType::f64}, any);
  // lstm.W_x.assign(...), lstm.W_h.assign(...), lstm.b.assign(...)
  (void)theirs;
  return hole("PyTorch's rows as columns, and its two biases as one");
}
