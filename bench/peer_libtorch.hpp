// LibTorch as a contestant, in its two forms. Without LibTorch, peer_absent.cpp stands in.
#pragma once

#include <memory>
#include <string>

#include "workload.hpp"

namespace unroll::bench {

// "LibTorch 1.13.1", or empty where LibTorch is absent.
std::string libtorch_version();

// torch::nn::LSTM over the whole sequence; null where LibTorch is absent.
std::unique_ptr<Contestant> make_libtorch_lstm(const Problem& problem);

// The cell written out in tensor operations, one step after another; null where LibTorch is absent.
std::unique_ptr<Contestant> make_libtorch_composed(const Problem& problem);

}  // namespace unroll::bench
