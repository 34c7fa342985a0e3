#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

namespace unroll::drawing {

// Throws Error for a number or a choice that cannot be.
void require_valid(const RenderOptions& options);

// The whole drawing at options.level, or folded further where the budget asks for it: the forward pass, and the recorded backward pass where that
// is wanted: below, as the forward pass's reflection, from right to left and from the top down, each step below its own. Throws Error where no backward pass was
// recorded, or for options that do not fit.
Drawing compose(const Tape& tape, const RenderOptions& options);

}  // namespace unroll::drawing
