#pragma once

#include <unroll/layers/rnn.hpp>

namespace unroll {

// Where the reset gate acts: on the state before its product with U_n (Cho et al. 2014), or on the product (as cuDNN, PyTorch and
// Keras's default have it; this form has a second bias).
enum class Reset {
  before,  // (r * h) U_n
  after    // r * (h U_n + b_hn)
};

// The sizes and the variant of a GRU.
struct GRUOptions {
  std::int64_t input = 0, hidden = 0;  // features of x, units of h
  Reset reset = Reset::before;         // where the reset gate acts
  bool layer_norm = false;             // normalised sums (Ba, Kiros and Hinton 2016)
  std::string name = "gru";            // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;            // of the parameters
};

// The gated recurrent unit (Cho et al. 2014):
//
//   r = sigmoid(x W_r + h U_r + b_r)                  reset gate
//   z = sigmoid(x W_z + h U_z + b_z)                  update gate: z keeps the past
//   n = tanh(x W_n + (r * h) U_n + b_n)               candidate, reset before the product
//   n = tanh(x W_n + b_n + r * (h U_n + b_hn))        or after it
//   h_t = z * h_(t-1) + (1 - z) * n
//
// (Cho et al. write the update so, as do PyTorch and Keras; Chung et al. 2014 exchange z and 1 - z.) The three blocks stand side by side,
// in the order r z n, in W_x (input, 3 hidden), W_h (hidden, 3 hidden) and b (3 hidden), and b_h (3 hidden) where the reset comes after.
// Parameters: 3 * (hidden^2 + hidden * input + hidden), and 3 * hidden more for b_h. With layer_norm the products with x and with h are
// normalised, those for r and z together and that for n by itself (Ba, Kiros and Hinton 2016, equations 23 to 25; there the reset comes
// after): normalized(x W) * g_x for x W, likewise for h, 6 * hidden parameters more.
// See docs/gallery.md, tutorials/10/README.md and tutorials/11/README.md.
class GRU : public Module {
 public:
  using State = HiddenState;  // what goes from step to step

  // W_x by Glorot's rule and W_h orthogonal, each block for itself; biases 0. Throws ShapeError for a width below 1.
  GRU(const GRUOptions& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h, the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // h_0 = 0 for `batch` sequences, recorded at step 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  GRUOptions options;          // as given
  Parameter W_x, W_h, b, b_h;  // blocks r z n side by side; b_h is an empty handle where the reset comes before
  Parameter g_x, g_h;          // gains of the normalised products, each (3 hidden); empty handles without

 private:
  // Blocks from .. to of a product with their part of the gain, where the layer is normalised.
  Var norm(Var product, const Parameter& gain, std::int64_t from, std::int64_t to) const;
  // All three blocks of a product, with a bias.
  Var sums(Var a, Var weights, Var bias, const Parameter& gain) const;
};

}  // namespace unroll
