#include <unroll/core/array/finite.hpp>

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

void require_finite(const ArrayView& array, std::string_view what) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    const double x = array.flat(i);
    if (std::isfinite(x)) continue;
    // without the sign that some NaNs have
    throw Error(fmt::format("{}: element [{}] is {}, expected finite numbers", what,
                            fmt::join(index_of(array.shape, i), ", "), std::isnan(x) ? std::abs(x) : x));
  }
}

}  // namespace unroll
