#pragma once

#include <unroll/core/check/diagnosis.hpp>
#include <unroll/core/tape/tape.hpp>

#include <optional>

namespace unroll::detail {

// Looks for an operation whose own reverse rule is wrong at the numbers that it has on the tape: for the nodes up to `last`, its rule for a random adjoint against central
// differences of the operation alone. One node of each operation in each scope is tried. Nothing if all are right; what ends a gradient on
// purpose (detach) does not count.
std::optional<Diagnosis> wrong_rule(Tape& tape, NodeId last);

}  // namespace unroll::detail
