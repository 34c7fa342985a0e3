#pragma once

#include <unroll/core/tape/tape.hpp>

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

// Leaves that are written into the labels of their readers and not drawn: parameters, numbers, unnamed constants.
bool is_folded(const Tape& tape, NodeId id);

// "W_f" of the parameter lstm.W_f, "x" of whatever is named x or selected from it, "0.5" of a number; "·" where there is no name.
std::string short_name(const Tape& tape, NodeId id);

// "+ b_f", "x W_f", "⊙", "tanh".
std::string expression(const Tape& tape, NodeId id);

// Three significant places are enough to compare: "0.0312", "1.2e-05".
std::string number(double value);

// An HTML-like DOT label, "<...>": any text is safe in it.
std::string html_label(const Text& text);

// A DOT string, "\"...\"": any text is safe in it.
std::string quoted(const std::string& text);

}  // namespace unroll::render
