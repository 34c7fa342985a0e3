#include "exercise.hpp"

using unroll::Var;

// ---- 1. which steps count

std::vector<int> loss_mask(const std::string& shape, int inputs, int answers) {
  const auto steps = [](int count, int value) { return std::vector<int>(static_cast<std::size_t>(count), value); };
  if (shape == "one-to-many") return steps(answers, 1);
  if (shape == "many-to-one") {
    std::vector<int> mask = steps(inputs, 0);
    mask.back() = 1;
    return mask;
  }
  if (shape == "encoder-decoder") {
    std::vector<int> mask = steps(inputs, 0);
    mask.insert(mask.end(), static_cast<std::size_t>(answers), 1);
    return mask;
  }
  return steps(inputs, 1);  // one-to-one, synchronised
}

// ---- 2. teacher forcing

std::vector<std::int64_t> decoder_inputs(const std::vector<std::int64_t>& targets, std::int64_t go) {
  std::vector<std::int64_t> inputs{go};
  for (std::size_t i = 0; i + 1 < targets.size(); ++i) inputs.push_back(targets[i]);
  return inputs;
}

// ---- 3. padded sequences

Var last_own_outputs(Var outputs, const std::vector<std::int64_t>& lengths) {
  std::vector<Var> rows;
  for (std::size_t b = 0; b < lengths.size(); ++b)
    rows.push_back(select(select(outputs, 1, static_cast<std::int64_t>(b)), 0, lengths[b] - 1));
  return stack(rows);
}

double mean_loss(const std::vector<std::vector<double>>& losses, const std::vector<std::int64_t>& lengths) {
  double sum = 0, count = 0;
  for (std::size_t t = 0; t < losses.size(); ++t)
    for (std::size_t b = 0; b < lengths.size(); ++b)
      if (static_cast<std::int64_t>(t) < lengths[b]) sum += losses[t][b], count += 1;
  return sum / count;
}
