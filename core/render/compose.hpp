#pragma once

#include <unroll/core/render/drawing.hpp>

namespace unroll::drawing {

// The whole drawing: the forward pass, and below it, where that is wanted, the recorded backward pass as its reflection: from right to left and
// from the top down, each step below its own. Throws Error where no backward pass was recorded.
Drawing compose(const Tape& tape, const DrawOptions& options);

}  // namespace unroll::drawing
