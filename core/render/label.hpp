#pragma once

#include <string>

// What the boxes of a drawing say, and how it is written in DOT.
namespace unroll::render {

// Up to three lines of one box.
struct Text {
  std::string title;     // the name, or what is computed: "c_2", "x W_f", "⊙"
  std::string note;      // in small letters: operation, shape
  std::string gradient;  // "∇ 0.031"

  friend bool operator==(const Text&, const Text&) = default;
};

// Three significant places are enough to compare: "0.0312", "1.2e-05".
std::string number(double value);

// An HTML-like DOT label, "<...>": any text is safe in it.
std::string html_label(const Text& text);

// A DOT string, "\"...\"": any text is safe in it.
std::string quoted(const std::string& text);

}  // namespace unroll::render
