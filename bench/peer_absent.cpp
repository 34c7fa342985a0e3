// Built in the place of peer_libtorch.cpp where LibTorch is not installed.
#include "peer_libtorch.hpp"

namespace unroll::bench {

std::string libtorch_version() { return {}; }
std::unique_ptr<Contestant> make_libtorch_lstm(const Problem&) { return nullptr; }
std::unique_ptr<Contestant> make_libtorch_composed(const Problem&) { return nullptr; }

}  // namespace unroll::bench
