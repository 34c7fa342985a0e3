#pragma once

#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>

// LSTM and GRU as a textbook writes them: each gate has its own W, U and b, its own products and additions, primitives only. Equal in value
// and gradient to the packed forms, and what drawings and lessons use. (RNN has one block: its packed form is the textbook's, but
// for the affine, which textbook::RNN writes out.)
namespace unroll::textbook {

// The weights of one gate: W (input, hidden), U (hidden, hidden), b (hidden).
struct Gate {
  Parameter W, U, b;
};

class RNN : public Module {
 public:
  using State = HiddenState;

  RNN(const RNNOptions& o, Generator& generator) : RNN(unroll::RNN(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit RNN(const unroll::RNN& packed);

  std::pair<Var, State> operator()(Var x, State before) const;
  State zero_state(Tape& tape, std::int64_t batch) const;

  RNNOptions options;
  Parameter W_x, W_h, b;
};

class LSTM : public Module {
 public:
  using State = LSTMState;

  LSTM(const LSTMOptions& o, Generator& generator) : LSTM(unroll::LSTM(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit LSTM(const unroll::LSTM& packed);

  std::pair<Var, State> operator()(Var x, State before) const;
  State zero_state(Tape& tape, std::int64_t batch) const;

  LSTMOptions options;
  Gate forget, input, candidate, output;  // W_f U_f b_f, W_i U_i b_i, W_g U_g b_g, W_o U_o b_o
  Parameter p_i, p_f, p_o;                // peepholes, each (hidden); empty handles without
};

class GRU : public Module {
 public:
  using State = HiddenState;

  GRU(const GRUOptions& o, Generator& generator) : GRU(unroll::GRU(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit GRU(const unroll::GRU& packed);

  std::pair<Var, State> operator()(Var x, State before) const;
  State zero_state(Tape& tape, std::int64_t batch) const;

  GRUOptions options;
  Gate reset, update, candidate;  // W_r U_r b_r, W_z U_z b_z, W_n U_n b_n
  Parameter b_hr, b_hz, b_hn;     // the second biases where the reset comes after; empty handles otherwise
};

}  // namespace unroll::textbook
