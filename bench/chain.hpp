// What operation.cpp and operation_libtorch.cpp have in common: a chain y = op(op(... op(x))) on one element. The
// arithmetic is next to nothing, so the time is what recording, or going back over, one operation costs.
#pragma once

#include <benchmark/benchmark.h>

namespace unroll::bench {

inline constexpr int chain_length = 1000;
inline constexpr float chain_x = 0.5F;    // where the chain starts
inline constexpr float chain_w = 0.999F;  // the factor of the multiplications: far from overflow and from denormals

// Adds a column with the time of one operation.
inline void count_operations(benchmark::State& state) {
  using benchmark::Counter;
  state.counters["per_operation"] = Counter(chain_length, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

}  // namespace unroll::bench
