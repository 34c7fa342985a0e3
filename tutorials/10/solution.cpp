#include "exercise.hpp"

#include "../course.hpp"

using namespace unroll;

namespace {

// x W + h U + b
Var sum_of(const textbook::Gate& gate, Var x, Var h) {
  Tape& tape = x.tape();
  return affine(x, tape.use(gate.W), h, tape.use(gate.U), tape.use(gate.b));
}

}  // namespace

Var step_keeping(Var x, Var h, const textbook::GRU& gru) {
  const Var z = sigmoid(sum_of(gru.update, x, h));
  const Var r = sigmoid(sum_of(gru.reset, x, h));
  const Var n = tanh(sum_of(gru.candidate, x, r * h));
  return z * h + (1 - z) * n;
}

Var step_admitting(Var x, Var h, const textbook::GRU& gru) {
  const Var update = sigmoid(sum_of(gru.update, x, h));
  const Var reset = sigmoid(sum_of(gru.reset, x, h));
  const Var content = tanh(sum_of(gru.candidate, x, reset * h));
  return (1 - update) * h + update * content;
}

void to_admitting(textbook::GRU& gru) {
  for (Parameter p : {gru.update.W, gru.update.U, gru.update.b})
    for (std::size_t i = 0; i < p.size(); ++i) p.mutable_value().set_flat(i, -p.value().flat(i));
}

Var candidate_after(Var x, Var h, Var r, const textbook::GRU& gru) {
  Tape& tape = x.tape();
  const Var from_x = matmul(x, tape.use(gru.candidate.W)) + tape.use(gru.candidate.b);
  const Var from_h = matmul(h, tape.use(gru.candidate.U)) + tape.use(gru.b_hn);
  return tanh(from_x + r * from_h);
}
