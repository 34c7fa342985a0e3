#include "exercise.hpp"

#include "../course.hpp"

#include <cmath>

using namespace unroll;

Parts parts(Var x, Var h_before, const LSTM& lstm) {
  Tape& tape = x.tape();
  const std::int64_t H = lstm.options.hidden;
  const Var sums = affine(x, tape.use(lstm.W_x), h_before, tape.use(lstm.W_h), tape.use(lstm.b));
  const auto block = [&](std::int64_t k) { return slice(sums, 1, k * H, (k + 1) * H); };
  const Var i = sigmoid(block(0));
  const Var f = sigmoid(block(1));
  const Var g = tanh(block(2));
  const Var o = sigmoid(block(3));
  return {i, f, g, o};
}

LSTMState next_state(const Parts& parts, Var c_before) {
  const Var kept = parts.f * c_before;
  const Var admitted = parts.i * parts.g;
  const Var c = kept + admitted;
  const Var h = parts.o * tanh(c);
  return {h, c};
}

double forget_bias_for_half(int T) {
  const double f = std::pow(0.5, 1.0 / T);
  return std::log(f / (1 - f));
}

void set_latch(textbook::LSTM& lstm) {
  for (textbook::Gate gate : {lstm.candidate, lstm.input, lstm.forget, lstm.output})
    gate.U.assign(Array({1, 1}, {0.0}));
  lstm.candidate.W.assign(Array({2, 1}, {2, 0}));
  lstm.candidate.b.assign(Array({1}, {0.0}));
  lstm.input.W.assign(Array({2, 1}, {0, 30}));
  lstm.input.b.assign(Array({1}, {-15.0}));
  lstm.forget.W.assign(Array({2, 1}, {0, -30}));
  lstm.forget.b.assign(Array({1}, {15.0}));
  lstm.output.W.assign(Array({2, 1}, {0, 0}));
  lstm.output.b.assign(Array({1}, {15.0}));
}
