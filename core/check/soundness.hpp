#pragma once

#include <unroll/core/check/objective.hpp>

#include <optional>

namespace unroll::detail {

// Why a program cannot be checked at all, if so: leaves that hold NaN, a result or gradient that is not finite, two runs on equal leaves that differ, leaves that the
// program changes.
std::optional<Diagnosis> unsound(Objective& objective, const std::vector<Array>& gradients);

}  // namespace unroll::detail
