#pragma once

#include <unroll/core/grad/gradients.hpp>
#include <unroll/core/render/drawing.hpp>
#include <unroll/core/tape/tape.hpp>

namespace unroll::drawing {

// Adds a row of bars below the steps: what each contributes to the gradient of a parameter. BPTT sums the contributions: their shares
// <contribution, gradient> / |gradient|^2 add up to 1. Throws Error where the gradients hold no contributions to this parameter.
void add_contributions(const Tape& tape, const Parameter& parameter, const Gradients* gradients, Drawing& drawing);

// The same as numbers, one for each step that contributes, without a place.
std::vector<DrawnBar> contributions(const Parameter& parameter, const Gradients& gradients);

}  // namespace unroll::drawing
