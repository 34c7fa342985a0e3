#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <utility>

namespace unroll {

// The sizes and the variant of an LSTM.
struct LSTMOptions {
  std::int64_t input = 0, hidden = 0;  // features of x, units of c
  bool peepholes = false;              // the gates also see the cell state (Gers and Schmidhuber 2000)
  double forget_bias = 1;   // of the forget gate, so that it starts open (Gers, Schmidhuber and Cummins 2000)
  bool layer_norm = false;  // normalised sums (Ba, Kiros and Hinton 2016)
  std::int64_t projection =
      0;  // h is projected to so many units (Sak, Senior and Beaufays 2014), PyTorch's proj_size; 0: not
  std::string name = "lstm";  // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;   // of the parameters
};

// The hidden state h (the output) and the cell state c (the memory), both (batch, hidden); h is (batch, projection) where it is projected.
struct LSTMState {
  Var h, c;  // the output and the memory
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
//
// With layer_norm the sums of x and of h are normalised, each over all four blocks, and so is the cell state on its way out, but not on its way to
// the next step (Ba, Kiros and Hinton 2016, equations 20 to 22; of their three biases on the gates, which are only ever added, this has the one):
//
//   z = normalized(x W) * g_x + normalized(h U) * g_h + b
//   h_t = o * tanh(layer_norm(c_t, g_c, b_c))
//
// 10 * hidden parameters more. With a projection (Sak, Senior and Beaufays 2014; PyTorch's proj_size, where weight_hr is W_p transposed) h is
// narrower than c, W_h is (projection, 4 hidden), and
//
//   h_t = (o * tanh(c_t)) W_p
//
// Parameters then: 4 * ((input + 1) * hidden + projection * hidden) + hidden * projection.
// See docs/gallery.md, tutorials/09/README.md and tutorials/11/README.md.
class LSTM : public Module {
 public:
  using State = LSTMState;  // what goes from step to step

  // W_x and W_p by Glorot's rule, W_h orthogonal, each block for itself; biases 0 but for the forget gate's; peepholes uniform in +-0.1. Throws
  // ShapeError for a width below 1.
  LSTM(const LSTMOptions& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // h_0 = c_0 = 0.
  State zero_state(Tape& tape, std::int64_t batch) const;
  // Units of h.
  std::int64_t output() const { return options.projection > 0 ? options.projection : options.hidden; }

  LSTMOptions options;      // as given
  Parameter W_x, W_h, b;    // blocks i f g o side by side
  Parameter p_i, p_f, p_o;  // peepholes, each (hidden); empty handles without
  Parameter g_x, g_h;       // gains of the normalised sums, each (4 hidden); empty handles without
  Parameter g_c, b_c;       // gain and bias of the normalised cell state, each (hidden); empty handles without
  Parameter W_p;            // (hidden, projection); an empty handle without

 private:
  // The sums of the four gates, (batch, 4 hidden).
  Var gate_sums(Var x, Var h) const;
};

// Zeros for a layer whose h has `output` units and whose c has `hidden`, recorded at step 0.
LSTMState zero_lstm_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t output,
                          std::int64_t hidden, DType dtype);

}  // namespace unroll
