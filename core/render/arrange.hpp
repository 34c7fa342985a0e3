#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/scene.hpp>

namespace unroll::render {

// Places the blocks of a scene side by side, equal blocks by the same layout, and leads the lines between them.
Drawing arrange(const Tape& tape, const Scene& scene, const DrawOptions& options);

}  // namespace unroll::render
