// The command line of unroll_bench_step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workload.hpp"

namespace unroll::bench {

struct Options {
  std::vector<Size> sizes;
  std::size_t repeats = 9;
};

// Throws std::invalid_argument with a message that says what is wrong. `--help` prints its text and exits.
Options parse(const std::vector<std::string>& arguments);

}  // namespace unroll::bench
