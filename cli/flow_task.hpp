#pragma once

#include <unroll/core/array/random.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent_stack.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::cli {

// The small tasks of `unroll flow`: what is shown at the first steps is asked for at the last.
inline constexpr std::array<std::string_view, 3> flow_tasks{"last", "recall", "adding"};

struct FlowNetworkOptions {
  std::string task;
  CellKind cell = CellKind::lstm;
  std::int64_t steps = 0, hidden = 0, layers = 1, batch = 1;
  std::uint64_t seed = 1;
};

// A recurrent stack with a readout, in float64, on one of the tasks:
//   last     random inputs; L = mean(h_T^2), as in `unroll render`
//   recall   one of four symbols, then noise; at the end, which symbol it was (cross-entropy)
//   adding   pairs of a number in [0, 1] and a mark; at the end, the sum of the two marked numbers (squared error)
class FlowNetwork {
 public:
  // Throws Error for "adding" over a single step, where two numbers cannot stand.
  explicit FlowNetwork(const FlowNetworkOptions& options);

  // The loss if it is asked for after each of the given steps, over one batch; the task itself asks after the last step only.
  std::vector<Var> losses(Tape& tape, Generator& batch, const std::vector<std::int64_t>& asked) const;
  Var loss(Tape& tape, Generator& batch) const { return losses(tape, batch, {options_.steps}).front(); }

  std::vector<Parameter> parameters() const;
  const RecurrentStack& stack() const { return stack_; }

 private:
  FlowNetwork(const FlowNetworkOptions& options, Generator generator);

  FlowNetworkOptions options_;
  RecurrentStack stack_;
  Linear readout_;
};

}  // namespace unroll::cli
