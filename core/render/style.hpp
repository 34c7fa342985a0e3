#pragma once

#include <array>
#include <string_view>

// How drawings look: letters, frames, and colours that remain apart for colour-blind readers (after Okabe and Ito, darkened until
// white letters can be read on them).
namespace unroll::drawing {

inline constexpr std::string_view font = "fontname=\"Helvetica,Arial,sans-serif\"";
// Of every box, for the engine that decides how large it is and for the drawing.
inline constexpr std::string_view node_format =
    "node [shape=box, fontsize=10, margin=\"0.07,0.03\", width=0.4, height=0.28, "
    "fontname=\"Helvetica,Arial,sans-serif\"];";

struct Colours {
  std::string_view strong, tint;
};

struct NamedColours {
  std::string_view part;  // the last part of a scope begins with this
  Colours colours;
};

// The gates of LSTM and GRU have colours of their own; other scopes take them in turn.
inline constexpr std::array<NamedColours, 6> gate_colours{{{"forget", {"#B5400A", "#FBE3D8"}},
                                                           {"input", {"#00735A", "#D5EFE7"}},
                                                           {"candidate", {"#1A5FA0", "#DAE8F6"}},
                                                           {"output", {"#8F6400", "#FAEDC8"}},
                                                           {"reset", {"#9C3B72", "#F7E1EC"}},
                                                           {"update", {"#20728F", "#D8F0F8"}}}};

inline constexpr Colours state_colours{"#4B2E83", "#E7E0F3"};
inline constexpr Colours input_colours{"#555555", "#ECECEC"};
inline constexpr std::string_view ink = "#333333", line = "#6A6A6A", faint = "#B0B0B0", alarm = "#C00000";
inline constexpr std::string_view step_frame = "#C4C4CC", step_fill = "#F8F8FA";

}  // namespace unroll::drawing
