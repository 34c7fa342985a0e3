#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/parameter.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace unroll::reproduce {

// The cells that are compared.
enum class Cell {
  rnn,          // tanh, orthogonal W_h, as this library begins
  rnn_uniform,  // tanh, W_h uniform in +-1/sqrt(hidden), as was usual before (and as PyTorch begins)
  lstm,         // with forget gate, whose bias starts at 1
  lstm_open,    // the same, the bias of the forget gate starts at 5: f = 0.993
  lstm_1997,    // without forget gate, `hidden` blocks of one cell, full BPTT; biases of the input gates start at -4
  gru,
};

const char* to_string(Cell cell);

struct LearnerOptions {
  Cell cell = Cell::lstm;
  std::int64_t input = 0, hidden = 0, output = 0;
};

// One recurrent layer and a linear readout, whichever the cell.
struct Learner {
  std::vector<Parameter> parameters;
  // xs (time, batch, input) -> (time, batch, output).
  std::function<Var(Var xs)> at_every_step;
  // xs (time, batch, input) -> (batch, output), after the last step.
  std::function<Var(Var xs)> at_the_end;
};

Learner make_learner(const LearnerOptions& options, Generator& generator);

}  // namespace unroll::reproduce
