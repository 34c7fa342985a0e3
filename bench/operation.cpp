// unroll_bench_operation: what one recorded operation costs, forward and backward, where the arithmetic costs nothing.
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/tape.hpp>

#include <benchmark/benchmark.h>

#include "chain.hpp"

namespace unroll::bench {
namespace {

Var tanh_chain(Var x, Var) {
  Var y = x;
  for (int k = 0; k < chain_length; ++k) y = tanh(y);
  return y;
}

Var mul_chain(Var x, Var w) {
  Var y = x;
  for (int k = 0; k < chain_length; ++k) y = y * w;
  return y;
}

// One tape, cleared and reused, as in a training loop.
template <class Chain> void forward(benchmark::State& state, Chain chain) {
  const Array x = Array::filled({1}, chain_x), w = Array::filled({1}, chain_w);
  Tape tape;
  for (auto _ : state) {
    tape.clear();
    benchmark::DoNotOptimize(chain(tape.input(x), tape.input(w)));
  }
  count_operations(state);
}

// The same recording is differentiated again and again, so that only the backward pass is timed.
template <class Chain> void backward(benchmark::State& state, Chain chain) {
  Tape tape;
  const Var y = chain(tape.input(Array::filled({1}, chain_x)), tape.input(Array::filled({1}, chain_w)));
  for (auto _ : state) {
    const Gradients gradients = unroll::backward(y);
    benchmark::DoNotOptimize(&gradients);
  }
  count_operations(state);
}

BENCHMARK_CAPTURE(forward, unroll_tanh, tanh_chain);
BENCHMARK_CAPTURE(forward, unroll_mul, mul_chain);
BENCHMARK_CAPTURE(backward, unroll_tanh, tanh_chain);
BENCHMARK_CAPTURE(backward, unroll_mul, mul_chain);

}  // namespace
}  // namespace unroll::bench

BENCHMARK_MAIN();
