#pragma once

// Exercises of chapter 11: count, and carry weights from one system to another.
#include "pytorch.hpp"

#include <cstdint>

#include <unroll/unroll.hpp>

// 1. The number of parameters of a simple RNN, without a readout.
std::int64_t rnn_parameters(std::int64_t input, std::int64_t hidden);

// 2. Those of an LSTM with these options.
struct LSTMCount {
  std::int64_t input = 0, hidden = 0;
  std::int64_t steps = 1;       // time steps: what Keras called input_length
  std::int64_t biases = 1;      // vectors of biases for each block: PyTorch and ONNX have 2
  bool peepholes = false;       // for f, i and o
  std::int64_t projection = 0;  // units of h, where the layer projects h; 0: h has `hidden` units
};
std::int64_t lstm_parameters(const LSTMCount& count);

// 3. Those of a GRU with one bias or two.
std::int64_t gru_parameters(std::int64_t input, std::int64_t hidden, std::int64_t biases);

// 4. PyTorch's weight (4 hidden, K), rows in the order i f g o, as ONNX has it: the same shape, rows in the order i o f c (c is g).
unroll::Array to_onnx(const unroll::Array& weight);

// 5. This library's LSTM with PyTorch's weights: a layer with 2 inputs and 3 units in float64, whose W_x, W_h and b have columns in the order i f g o.
unroll::LSTM from_pytorch(const PyTorchLSTM& theirs);
