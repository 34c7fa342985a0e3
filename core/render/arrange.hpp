#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/scene.hpp>

namespace unroll::drawing {

// Places the blocks of a scene in rows and columns, equal blocks by the same layout, and leads the lines between them. Steps follow each other at a distance
// of `pitch` at least, from the middle of one to the middle of the next.
Drawing arrange(const Tape& tape, const Scene& scene, const RenderOptions& options, double pitch = 0);

}  // namespace unroll::drawing
