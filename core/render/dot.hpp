#pragma once

#include <unroll/core/render/drawing.hpp>

#include <string>

namespace unroll::drawing {

// A drawing as DOT text with all its positions. `extra` goes to the graph's attributes ("dpi=144").
std::string dot_text(const Drawing& drawing, const std::string& extra = {});

}  // namespace unroll::drawing
