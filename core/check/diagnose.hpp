#pragma once

#include <unroll/core/check/comparison.hpp>

namespace unroll::detail {

// Looks for the fault behind a failed comparison.
Diagnosis diagnose(const CheckedProgram& program, const GradcheckOptions& options,
                   const std::vector<ComparedLeaf>& leaves);

}  // namespace unroll::detail
