#include "course.hpp"

#include "hole.hpp"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

namespace unroll::course {

namespace {

// Whether a person sits before the program; a page, a pipe or a test does not want to press Enter.
bool someone_reads() { return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0; }

void wait_for_enter() {
  fmt::print("\n[Enter: go on, q: stop] ");
  std::fflush(stdout);
  const int first = std::getchar();
  if (first == 'q' || first == EOF) std::exit(0);
  for (int c = first; c != '\n' && c != EOF;) c = std::getchar();
}

}  // namespace

void section(const std::string& title) {
  static bool first = true;
  if (!first && someone_reads()) wait_for_enter();
  fmt::print("{}== {}\n\n", first ? "" : "\n", title);
  std::fflush(stdout);
  first = false;
}

AnyValue hole(const std::string& what) { throw Hole(what); }

}  // namespace unroll::course
