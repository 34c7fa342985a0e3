#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <utility>

namespace unroll {

enum class Activation { tanh, relu };

struct RNNOptions {
  std::int64_t input = 0, hidden = 0;
  Activation activation = Activation::tanh;
  bool layer_norm = false;  // normalised sums (Ba, Kiros and Hinton 2016)
  std::string name = "rnn";
  DType dtype = DType::f32;
};

// The hidden state of an RNN or a GRU, (batch, hidden).
struct HiddenState {
  Var h;
};

// The zero initial state h_0 of a layer, recorded at step 0.
HiddenState zero_hidden_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t hidden,
                              DType dtype);

// The simple recurrent network (Elman 1990): h_t = tanh(x_t W_x + h_(t-1) W_h + b), or relu. In the lecture notes' letters W_x is W_xh or U,
// and W_h is W_hh or W. Parameters: ((input + 1) + hidden) * hidden. With layer_norm the sum of both products is normalised (Ba, Kiros and
// Hinton 2016, equation 4), h_t = tanh(layer_norm(x_t W_x + h_(t-1) W_h, g, b)), which has hidden parameters more.
class RNN : public Module {
 public:
  using State = HiddenState;

  RNN(const RNNOptions& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  State zero_state(Tape& tape, std::int64_t batch) const;

  RNNOptions options;
  Parameter W_x, W_h, b;  // (input, hidden), (hidden, hidden), (hidden)
  Parameter g;            // gain of the normalised sum, (hidden); an empty handle without
};

}  // namespace unroll
