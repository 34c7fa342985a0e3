#include <unroll/core/array/finite.hpp>

#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

void require_finite(const ArrayView& array, std::string_view what) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    const double x = array.flat(i);
    if (std::isfinite(x)) continue;
    std::vector<std::int64_t> index(array.rank());
    std::size_t rest = i;
    for (std::size_t axis = array.rank(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(array.shape[axis]);
      index[axis] = static_cast<std::int64_t>(rest % extent);
      rest /= extent;
    }
    // without the sign that some NaNs have
    throw Error(fmt::format("{}: element [{}] is {}, expected finite numbers", what, fmt::join(index, ", "),
                            std::isnan(x) ? std::abs(x) : x));
  }
}

}  // namespace unroll
