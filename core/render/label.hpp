#pragma once

#include <string>
#include <string_view>
#include <vector>

// What the boxes of a drawing say, and how it is written in DOT.
namespace unroll::drawing {

// The lines of one box.
struct Text {
  std::string title;                 // the name, or what is computed: "c_2", "x W_f", "⊙"
  std::vector<std::string> notes{};  // in small letters: operation, shape, values
  std::string gradient{};            // "∇ 0.031"

  friend bool operator==(const Text&, const Text&) = default;
};

// The sizes of the letters, in points.
inline constexpr double title_size = 10, note_size = 7, gradient_size = 8;

// Three significant places are enough to compare: "0.0312", "1.2e-05"; "NaN", "Inf", "-Inf".
std::string number(double value);

// About how wide a line of letters is, in points; those of Asian scripts are twice as wide as others.
double text_width(std::string_view text, double size);

// One line of valid UTF-8 that XML may contain: line breaks become blanks, other control characters and broken bytes U+FFFD.
std::string clean(std::string_view text);

// An HTML-like DOT label, "<...>": any text is safe in it.
std::string html_label(const Text& text);

// A DOT string, "\"...\"": any text is safe in it.
std::string quoted(const std::string& text);

}  // namespace unroll::drawing
