#include <unroll/examples/reproduce/report.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <numeric>

namespace unroll::reproduce {

bool Report::reproduced() const {
  return std::none_of(rows.begin(), rows.end(), [](const Row& row) { return row.reproduced == false; });
}

Spread spread(const std::vector<double>& numbers) {
  if (numbers.empty()) throw Error("spread: there are no numbers");
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  return {std::accumulate(numbers.begin(), numbers.end(), 0.0) / static_cast<double>(numbers.size()), *low, *high};
}

}  // namespace unroll::reproduce
