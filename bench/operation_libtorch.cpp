// LibTorch's side of operation.cpp: the same chains, registered when LibTorch is installed.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "chain.hpp"

namespace unroll::bench {
namespace {

torch::Tensor one_element(float value) { return torch::full({1}, value, torch::requires_grad()); }

torch::Tensor tanh_chain(const torch::Tensor& x, const torch::Tensor&) {
  torch::Tensor y = x;
  for (int k = 0; k < chain_length; ++k) y = torch::tanh(y);
  return y;
}

torch::Tensor mul_chain(const torch::Tensor& x, const torch::Tensor& w) {
  torch::Tensor y = x;
  for (int k = 0; k < chain_length; ++k) y = y * w;
  return y;
}

// The graph is kept until the next iteration has its own, as a training loop would: freeing it is part of the cost.
template <class Chain> void forward(benchmark::State& state, Chain chain) {
  at::set_num_threads(1);
  const torch::Tensor x = one_element(chain_x), w = one_element(chain_w);
  torch::Tensor y;
  for (auto _ : state) y = chain(x, w);
  count_operations(state);
}

template <class Chain> void backward(benchmark::State& state, Chain chain) {
  at::set_num_threads(1);
  const torch::Tensor x = one_element(chain_x), w = one_element(chain_w);
  const torch::Tensor y = chain(x, w);
  for (auto _ : state) {
    benchmark::DoNotOptimize(torch::autograd::grad({y}, {x, w}, {}, /*retain_graph=*/true, /*create_graph=*/false,
                                                   /*allow_unused=*/true));
  }
  count_operations(state);
}

BENCHMARK_CAPTURE(forward, libtorch_tanh, tanh_chain);
BENCHMARK_CAPTURE(forward, libtorch_mul, mul_chain);
BENCHMARK_CAPTURE(backward, libtorch_tanh, tanh_chain);
BENCHMARK_CAPTURE(backward, libtorch_mul, mul_chain);

}  // namespace
}  // namespace unroll::bench
