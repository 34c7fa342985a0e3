#include <unroll/examples/scores.hpp>

#include <unroll/core/tape/tape.hpp>

#include <algorithm>
#include <map>

namespace unroll::examples {

double accuracy(std::span<const std::int64_t> answers, std::span<const std::int64_t> targets) {
  double right = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) right += answers[i] == targets[i];
  return right / static_cast<double>(targets.size());
}

double majority_accuracy(std::span<const std::int64_t> learned, std::span<const std::int64_t> held_out) {
  std::map<std::int64_t, int> counts;
  for (const std::int64_t target : learned) ++counts[target];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const std::vector<std::int64_t> answers(held_out.size(), most->first);
  return accuracy(answers, held_out);
}

}  // namespace unroll::examples
