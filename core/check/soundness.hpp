#pragma once

#include <unroll/core/check/objective.hpp>

#include <optional>

namespace unroll::detail {

// Why a program cannot be checked at all, if so: leaves that hold NaN, a result or gradient that is not finite, two runs on equal leaves that differ, leaves that the
// program changes, numbers on the tape that are overwritten after they were used.
std::optional<Diagnosis> unsound(Objective& objective);

}  // namespace unroll::detail
