#pragma once

#include <unroll/layers/gru.hpp>
#include <unroll/layers/lstm.hpp>

// LSTM and GRU as a textbook writes them: each gate has its own W, U and b, its own products and additions, primitives only. Equal in value
// and gradient to the packed forms, and what drawings and lessons use. (RNN has one block: its packed form is the textbook's, but
// for the affine, which textbook::RNN writes out.)
namespace unroll::textbook {

// The weights of one gate: W (input, hidden), U (hidden, hidden), b (hidden).
struct Gate {
  Parameter W, U, b;  // for x, for h, and the bias
};

// unroll::RNN with its sum written out: two products, two additions, the activation. Layer normalisation has the packed form only: Error.
class RNN : public Module {
 public:
  using State = HiddenState;  // what goes from step to step

  // Weights as the packed layer of the same seed has them.
  RNN(const RNNOptions& o, Generator& generator) : RNN(unroll::RNN(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit RNN(const unroll::RNN& packed);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // Zeros for `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  RNNOptions options;     // as given
  Parameter W_x, W_h, b;  // (input, hidden), (hidden, hidden), (hidden)
};

// unroll::LSTM with the weights of each gate apart. Layer normalisation and projection have the packed form only: Error.
class LSTM : public Module {
 public:
  using State = LSTMState;  // what goes from step to step

  // Weights as the packed layer of the same seed has them.
  LSTM(const LSTMOptions& o, Generator& generator) : LSTM(unroll::LSTM(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit LSTM(const unroll::LSTM& packed);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // Zeros for `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  LSTMOptions options;                    // as given
  Gate forget, input, candidate, output;  // W_f U_f b_f, W_i U_i b_i, W_g U_g b_g, W_o U_o b_o
  Parameter p_i, p_f, p_o;                // peepholes, each (hidden); empty handles without
};

// unroll::GRU with the weights of each gate apart. Layer normalisation has the packed form only: Error.
class GRU : public Module {
 public:
  using State = HiddenState;  // what goes from step to step

  // Weights as the packed layer of the same seed has them.
  GRU(const GRUOptions& o, Generator& generator) : GRU(unroll::GRU(o, generator)) {}
  // With copies of the weights of a packed layer.
  explicit GRU(const unroll::GRU& packed);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // Zeros for `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  GRUOptions options;             // as given
  Gate reset, update, candidate;  // W_r U_r b_r, W_z U_z b_z, W_n U_n b_n
  Parameter b_hr, b_hz, b_hn;     // the second biases where the reset comes after; empty handles otherwise
};

}  // namespace unroll::textbook
