#include "exercise.hpp"

#include "../course.hpp"

using namespace unroll;
using course::hole;

Parts parts(Var x, Var h_before, const LSTM& lstm) {
  Tape& tape = x.tape();
  const std::int64_t H = lstm.options.hidden;
  // tape.use(lstm.W_x) is the node of a weight; slice(a, 1, from, to) takes columns from .. to - 1.
  (void)tape, (void)h_before, (void)H;
  return hole("the sums x W_x + h W_h + b, cut into four blocks, each through its own function");
}

LSTMState next_state(const Parts& parts, Var c_before) {
  (void)parts, (void)c_before;
  return hole("c_t = f * c_(t-1) + i * g, and h_t from c_t");
}

double forget_bias_for_half(int T) {
  (void)T;
  return hole("the bias b with sigmoid(b)^T = 1/2");
}

void set_latch(textbook::LSTM& lstm) {
  // Weights are written so; W is (2, 1), U is (1, 1), b is (1).
  lstm.candidate.W.assign(Array({2, 1}, {2, 0}));
  for (textbook::Gate gate : {lstm.candidate, lstm.input, lstm.forget, lstm.output})
    gate.U.assign(Array({1, 1}, {0.0}));
  hole("W and b of the input gate, the forget gate and the output gate");
}
