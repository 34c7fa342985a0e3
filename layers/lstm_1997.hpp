#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/layers/module.hpp>

#include <string>
#include <utility>
#include <vector>

namespace unroll {

// The sizes and the variant of an LSTM of 1997.
struct LSTM1997Options {
  std::int64_t input = 0, blocks = 0;  // features of x, memory blocks
  std::int64_t cells = 1;              // in each block
  bool cell_bias = true;  // the gates always have biases; in the paper's Reber experiment the cells have none
  double range = 0.1;     // weights and biases start uniformly in +-range ...
  // ... except the biases of the gates where given here, one for each block. Negative ones keep a block shut until it is needed.
  std::vector<double> input_gate_bias = {}, output_gate_bias = {};
  bool truncated = false;          // the paper's gradient: see below
  std::string name = "lstm_1997";  // its scope on the tape, and what its parameters are named after
  DType dtype = DType::f32;        // of the parameters
};

// What an LSTM of 1997 hands on from step to step.
struct LSTM1997State {
  // What the hidden layer shows to itself and to the next layer, (batch, units), units = blocks * (cells + 2): first the cells, then the input
  // gates, then the output gates.
  Var y;
  Var c;  // the memory, (batch, blocks * cells)
};

// Long short-term memory as Hochreiter and Schmidhuber published it in 1997: no forget gate, so that the memory is a plain sum and its derivative
// along time is exactly 1 (the constant error carousel). Cells stand in blocks, and the cells of a block share its two gates:
//
//   a_t = x_t W_x + y_(t-1) W_y + b                   of all units: cells, input gates, output gates
//   i = sigmoid(a_in)    o = sigmoid(a_out)           one for each block
//   g = 4 sigmoid(a_cell) - 2                         in (-2, 2)
//   c_t = c_(t-1) + i * g
//   h_t = o * (2 sigmoid(c_t) - 1)                    the output
//   y_t = [h_t, i, o]                                 gates see the gates, too ("the hidden layer is fully connected")
//
// `truncated` gives the paper's gradient: what arrives at a_t goes to the weights and to x_t, but not on to y_(t-1), so that errors travel back in
// time through c only. It is made by detach(y_(t-1)); values are the same. Without it, gradients are those of full BPTT.
//
// Parameters: units * (input + units) + units, or less blocks * cells without cell_bias; units = blocks * (cells + 2). With the paper's
// readouts (from the cells, `outputs * (blocks * cells + 1)`, or without the + 1 in the first two) its networks have
//   embedded Reber    7 inputs, 4 blocks of 1 or 3 of 2, 7 outputs     264, 276    cells and readout without bias
//   two sequences     1 input,  3 blocks of 1,           1 output      102         readout without bias
//   adding            2 inputs, 2 blocks of 2,           1 output       93
//   temporal order    8 inputs, 2 blocks of 2 or 3 of 2, 4 or 8 outputs 156, 308
// See docs/reproduced.md.
class LSTM1997 : public Module {
 public:
  using State = LSTM1997State;  // what goes from step to step

  // Throws ShapeError for a size below 1, or gate biases that are not one for each block.
  LSTM1997(const LSTM1997Options& options, Generator& generator);

  // One step: x (batch, input) and the state before it -> {h (batch, blocks * cells), the state after it}.
  std::pair<Var, State> operator()(Var x, State before) const;
  // y_0 = c_0 = 0.
  State zero_state(Tape& tape, std::int64_t batch) const;

  // Of all blocks together.
  std::int64_t cells() const { return options.blocks * options.cells; }
  // Cells and gates of all blocks together.
  std::int64_t units() const { return options.blocks * (options.cells + 2); }

  LSTM1997Options options;  // as given
  Parameter W_x, W_y, b;    // (input, units), (units, units), (units) or, without cell_bias, (2 blocks)
};

}  // namespace unroll
