#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <utility>

namespace unroll {

// The function of a simple recurrent network.
enum class Activation {
  tanh,  // from -1 to 1
  relu   // max(x, 0)
};

// The sizes and the variant of an RNN.
struct RNNOptions {
  std::int64_t input = 0, hidden = 0;        // features of x, units of h
  Activation activation = Activation::tanh;  // tanh, or relu
  bool layer_norm = false;                   // normalised sums (Ba, Kiros and Hinton 2016)
  std::string name = "rnn";                  // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;                  // of the parameters
};

// The hidden state of an RNN or a GRU, (batch, hidden).
struct HiddenState {
  Var h;  // (batch, hidden)
};

// The zero initial state h_0 of a layer, recorded at step 0.
HiddenState zero_hidden_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t hidden,
                              DType dtype);

// The simple recurrent network (Elman 1990): h_t = tanh(x_t W_x + h_(t-1) W_h + b), or relu. In the lecture notes' letters W_x is W_xh or U,
// and W_h is W_hh or W. Parameters: ((input + 1) + hidden) * hidden. With layer_norm the sum of both products is normalised (Ba, Kiros and
// Hinton 2016, equation 4), h_t = tanh(layer_norm(x_t W_x + h_(t-1) W_h, g, b)), which has hidden parameters more.
// See docs/gallery.md, tutorials/06/README.md and tutorials/11/README.md.
class RNN : public Module {
 public:
  using State = HiddenState;  // what goes from step to step

  // W_x by Glorot's rule, W_h orthogonal, b 0. Throws ShapeError for a width below 1.
  RNN(const RNNOptions& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // h_0 = 0 for `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  RNNOptions options;     // as given
  Parameter W_x, W_h, b;  // (input, hidden), (hidden, hidden), (hidden)
  Parameter g;            // gain of the normalised sum, (hidden); an empty handle without
};

}  // namespace unroll
