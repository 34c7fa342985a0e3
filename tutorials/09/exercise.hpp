#pragma once

// Exercises of chapter 9: write the LSTM, and set one by hand.
#include <unroll/unroll.hpp>

// The three gates and the candidate of one step, each (batch, hidden).
struct Parts {
  unroll::Var i, f, g, o;
};

// 1. The parts of a step, from the weights of a packed layer. Its four blocks stand side by side in the order i f g o, in W_x (input, 4 hidden),
//    W_h (hidden, 4 hidden) and b (4 hidden).
Parts parts(unroll::Var x, unroll::Var h_before, const unroll::LSTM& lstm);

// 2. The state after the step.
unroll::LSTMState next_state(const Parts& parts, unroll::Var c_before);

// 3. The forget bias with which half of the gradient is left after T steps along c, in an LSTM all of whose weights are 0: dc_T/dc_0 = 1/2.
double forget_bias_for_half(int T);

// 4. Sets the weights of an LSTM with two inputs (value, write) and one unit, so that it holds the last marked value for thirty steps. Where write is 1,
//    c becomes tanh(2 value), whatever was there before; where it is 0, c stays as it is, whatever the value. h shows tanh(c) at every step.
void set_latch(unroll::textbook::LSTM& lstm);
