// Our half of docs/coming-from-tensorflow-1.md.

#include <unroll/unroll.hpp>

#include <cstdio>
#include <vector>

using namespace unroll;

int main() {
  Generator generator(1);
  const Array numbers = normal({6, 2, 4}, 1, generator);  // (time, batch, feature)

  //[ dynamic_rnn
  const LSTM cell({.input = 4, .hidden = 8}, generator);  // BasicLSTMCell(8)
  Tape tape;                                              // the graph; it holds numbers at once, there is no session
  const Var xs = tape.constant(numbers, "xs");            // the placeholder and its feed in one
  const auto zero = cell.zero_state(tape, 2);
  const auto [outputs, state] = over_time(cell, xs, zero, {.lengths = {6, 4}});
  const Var last = state.h;  // state.c is the other half of LSTMStateTuple(c, h)
  //]

  //[ multi
  const GRU lower({.input = 4, .hidden = 8}, generator), upper({.input = 8, .hidden = 8}, generator);
  const Stack two({lower, upper});  // MultiRNNCell([lower, upper])
  const auto deep = over_time(two, xs);
  //]

  //[ train_op
  const Var loss = mean(square(last)) + mean(square(deep.outputs.back()));
  std::vector<Parameter> parameters = cell.parameters();
  parameters.insert(parameters.end(), two.parameters().begin(), two.parameters().end());
  SGD optimizer(parameters, {.learning_rate = 0.1});
  Gradients gradients = backward(loss);  // tf.gradients
  clip_by_norm(gradients, 5);            // tf.clip_by_global_norm
  optimizer.step(gradients);             // apply_gradients
  //]

  std::printf("%d steps, loss %.3f\n", static_cast<int>(outputs.size()), loss.item());
}
