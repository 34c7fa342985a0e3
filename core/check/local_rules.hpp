#pragma once

#include <unroll/core/check/diagnosis.hpp>
#include <unroll/core/tape/tape.hpp>

#include <optional>

namespace unroll::detail {

// Looks for an operation whose own reverse rule is wrong at the numbers that it has on the tape: for the nodes up to `last`, its rule for a random adjoint against central
// differences of the operation alone. One node of each operation in each scope is tried. Nothing if all are right; what ends a gradient on
// purpose (detach) does not count.
std::optional<Diagnosis> wrong_rule(Tape& tape, NodeId last);

// Whether the reverse rules of the nodes up to `last` are right by themselves where they stand on a kink: relu at exactly 0 gives 0, 1 or what lies between.
bool rules_hold_at_kinks(Tape& tape, NodeId last);

// Looks for a reverse rule written by hand (custom_vjp) that does not hold for the adjoint of each of its results by itself. A loss that depends on some of the
// results only does not show it; second derivatives do, for the rule itself makes them of all results that it reads.
std::optional<Diagnosis> incomplete_rule(const Tape& tape);

}  // namespace unroll::detail
