// The floor under every implementation on this machine: the matrix products of one training step,
// through OpenBLAS, and nothing else. There are no activations, no sums, no copies, no records.
#pragma once

#include <memory>

#include "workload.hpp"

namespace unroll::bench {

std::unique_ptr<Contestant> make_floor(const Problem& problem);

}  // namespace unroll::bench
