#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <utility>

namespace unroll {

struct LSTMOptions {
  std::int64_t input = 0, hidden = 0;
  bool peepholes = false;  // the gates also see the cell state (Gers and Schmidhuber 2000)
  double forget_bias = 1;  // of the forget gate, so that it starts open (Gers, Schmidhuber and Cummins 2000)
  std::string name = "lstm";
  DType dtype = DType::f32;
};

// The hidden state h (the output) and the cell state c (the memory), both (batch, hidden).
struct LSTMState {
  Var h, c;
};

// Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000):
//
//   i = sigmoid(x W_i + h U_i + b_i)      input gate
//   f = sigmoid(x W_f + h U_f + b_f)      forget gate
//   g = tanh   (x W_g + h U_g + b_g)      candidate
//   o = sigmoid(x W_o + h U_o + b_o)      output gate
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// In this form the four blocks stand side by side, in the order i f g o, in W_x (input, 4 hidden), W_h (hidden, 4 hidden) and b (4 hidden), so
// that one affine computes them all; textbook::LSTM has them apart. Parameters: 4 * ((input + 1) * hidden + hidden^2), and
// 3 * hidden with peepholes.
class LSTM : public Module {
 public:
  using State = LSTMState;

  LSTM(const LSTMOptions& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // h_0 = c_0 = 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  LSTMOptions options;
  Parameter W_x, W_h, b;
  Parameter p_i, p_f, p_o;  // peepholes, each (hidden); empty handles without
};

LSTMState zero_lstm_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t hidden, DType dtype);

}  // namespace unroll
