#include "exercise.hpp"

Lesson lesson_from(const std::string& word, const std::string& letters) {
  const std::size_t T = word.size() - 1;
  Lesson lesson{Array({static_cast<std::int64_t>(T), 1, static_cast<std::int64_t>(letters.size())}), {}};
  for (std::size_t t = 0; t < T; ++t) {
    lesson.xs.set_flat(t * letters.size() + letters.find(word[t]), 1);
    lesson.targets.push_back(static_cast<std::int64_t>(letters.find(word[t + 1])));
  }
  return lesson;
}

Var mean_loss(const std::vector<Var>& logits, const std::vector<std::int64_t>& targets) {
  std::vector<Var> losses;
  for (std::size_t t = 0; t < logits.size(); ++t) losses.push_back(cross_entropy(logits[t], {&targets[t], 1}));
  return mean(unroll::stack(losses));
}

Row adjoint_of_logits(const Row& p, std::size_t target) {
  Row dy = p;
  dy[target] -= 1;
  return dy;
}

Weights backward_through_time(const Weights& weights, const Forward& forward) {
  Weights sum = zeros_like(weights);
  Row from_next(weights.b.size(), 0.0);  // what step t + 1 sends back to h[t]; nothing comes after the last step
  for (std::size_t t = forward.T; t >= 1; --t) {
    const Row dy = adjoint_of_logits(forward.p[t], forward.target[t]);
    add_outer(sum.W_hy, forward.h[t], dy);
    add_to(sum.b_y, dy);
    Row dh = times_transposed(dy, weights.W_hy);
    add_to(dh, from_next);
    Row da = dh;
    for (std::size_t i = 0; i < da.size(); ++i) da[i] *= 1 - forward.h[t][i] * forward.h[t][i];
    add_outer(sum.W_xh, forward.x[t], da);
    add_outer(sum.W_hh, forward.h[t - 1], da);
    add_to(sum.b, da);
    from_next = times_transposed(da, weights.W_hh);
  }
  return sum;
}
