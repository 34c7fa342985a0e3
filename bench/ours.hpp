// This project's eager tape as a contestant: one tape, cleared and reused from step to step.
#pragma once

#include <memory>

#include "workload.hpp"

namespace unroll::bench {

std::unique_ptr<Contestant> make_ours(const Problem& problem);

}  // namespace unroll::bench
