#include "exercise.hpp"

#include "../course.hpp"

using namespace unroll;
using course::hole;

namespace {

// x W + h U + b
Var sum_of(const textbook::Gate& gate, Var x, Var h) {
  Tape& tape = x.tape();
  return affine(x, tape.use(gate.W), h, tape.use(gate.U), tape.use(gate.b));
}

}  // namespace

Var step_keeping(Var x, Var h, const textbook::GRU& gru) {
  const Var z = sigmoid(sum_of(gru.update, x, h));
  (void)z;
  return hole("the reset gate, the candidate n, and the state after the step");
}

Var step_admitting(Var x, Var h, const textbook::GRU& gru) {
  (void)x, (void)h, (void)gru;
  return hole("the step in the other convention: z admits the new");
}

void to_admitting(textbook::GRU& gru) {
  // The elements of a parameter are read with p.value().flat(i) and written with p.mutable_value().set_flat(i, number).
  (void)gru;
  hole("weights with which z becomes 1 - z");
}

Var candidate_after(Var x, Var h, Var r, const textbook::GRU& gru) {
  (void)x, (void)h, (void)r, (void)gru;
  return hole("the candidate n with the reset after the product");
}
