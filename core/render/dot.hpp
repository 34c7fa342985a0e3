#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/render/render.hpp>

#include <string>

namespace unroll::drawing {

// A drawing as DOT text with all its positions: `neato -n2` draws it as it is, `dot` lays it out anew.
std::string dot_text(const Drawing& drawing, Theme theme);

}  // namespace unroll::drawing
