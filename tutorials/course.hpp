#pragma once

#include <string>

// What the chapters of the course share. A chapter is a program like any other: it includes <unroll/unroll.hpp>, prints, and draws into its current folder.
namespace unroll::course {

// Begins a part of a chapter with a heading. On a terminal it first waits for Enter, so that one part is read at a time; q ends the program.
void section(const std::string& title);

// Stands in an exercise where the reader's own code belongs, as in `return hole("the derivative of tanh");`. It fits wherever a value of any type is wanted, and
// throws Hole when the program comes to it.
struct AnyValue {
  template <class T> operator T() const;  // NOLINT(google-explicit-constructor): never runs, hole() has thrown
};
[[noreturn]] AnyValue hole(const std::string& what);

}  // namespace unroll::course
