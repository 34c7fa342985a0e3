#pragma once

#include <string_view>

// The letters and boxes of DOT texts: of those that the engine measures and lays out, and of those that are drawn.
namespace unroll::drawing {

inline constexpr std::string_view font = "fontname=\"Helvetica,Arial,sans-serif\"";
// Of every box, for the engine that decides how large it is.
inline constexpr std::string_view node_format =
    "node [shape=box, fontsize=10, margin=\"0.07,0.055\", width=0.4, height=0.28, "
    "fontname=\"Helvetica,Arial,sans-serif\"];";

}  // namespace unroll::drawing
