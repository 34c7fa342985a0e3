#include "exercise.hpp"

Lesson lesson_from(const std::string& word, const std::string& letters) {
  (void)word, (void)letters;  // letters.find('e') is the number of e; array.set_flat(position, 1) sets one element
  return hole("one-hot inputs, and targets that are one letter ahead");
}

Var mean_loss(const std::vector<Var>& logits, const std::vector<std::int64_t>& targets) {
  (void)logits, (void)targets;  // cross_entropy(logits[t], {&targets[t], 1}) is the loss of one step
  return hole("the mean of the losses of all steps");
}

Row adjoint_of_logits(const Row& p, std::size_t target) {
  (void)p, (void)target;
  return hole("the derivative of -log softmax(y)[target] by y");
}

Weights backward_through_time(const Weights& weights, const Forward& forward) {
  Weights sum = zeros_like(weights);
  Row from_next(weights.b.size(), 0.0);  // what step t + 1 sends back to h[t]; nothing comes after the last step
  for (std::size_t t = forward.T; t >= 1; --t) {
    const Row dy = adjoint_of_logits(forward.p[t], forward.target[t]);
    // add to sum.W_hy and sum.b_y what they get at this step
    // dh: two parts
    // da: through tanh
    // add to sum.W_xh, sum.W_hh and sum.b
    // from_next: for step t - 1
    (void)dy, (void)from_next;
    return hole("one step of the way back");
  }
  return sum;
}
