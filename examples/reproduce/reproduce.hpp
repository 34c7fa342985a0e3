#pragma once

#include <unroll/examples/reproduce/report.hpp>

#include <span>
#include <string_view>

// Published results, run again: `unroll reproduce NAME`.
namespace unroll::reproduce {

struct Options {
  std::uint64_t seed = 1;
  Progress progress = silent;
};

struct Reproduction {
  std::string_view name;  // as it is called for: "reber"
  std::string_view what;  // one line
  std::string_view time;  // on one processor
  bool exact;             // its numbers follow from arithmetic, so that a difference is a mistake of the library
  bool curve;             // its report has a plot
  Report (*run)(const Options& options);
};

// In the order in which they are best read.
std::span<const Reproduction> all();

// Throws Error, which lists the names, if there is none of this name.
const Reproduction& find(std::string_view name);

}  // namespace unroll::reproduce
