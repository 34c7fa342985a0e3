#pragma once

#include <unroll/core/array/array.hpp>

#include <string_view>

namespace unroll {

// Throws Error, naming the first element that is NaN or infinite, if there is one: for data before anything is computed with it. `what` is the
// name of the data in the message.
void require_finite(const ArrayView& array, std::string_view what);

}  // namespace unroll
