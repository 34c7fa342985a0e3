#pragma once

#include <unroll/layers/lstm_1997.hpp>
#include <unroll/layers/over_time.hpp>

#include <cstdint>
#include <vector>

namespace unroll::reproduce {

struct Network1997Options {
  LSTM1997Options hidden;
  std::int64_t output = 0;
  bool output_bias = true;
};

// The three-layer network of Hochreiter and Schmidhuber 1997: input, LSTM1997, and logistic output units that see the cells only.
class Network1997 : public Module {
 public:
  Network1997(const Network1997Options& options, Generator& generator);

  // xs (time, batch, input) -> (time, batch, output), in (0, 1).
  Var at_every_step(Var xs) const;
  // xs (time, batch, input) -> (batch, output) after the last step.
  Var at_the_end(Var xs) const;

  Network1997Options options;

 private:
  Var readout(Var h) const;  // h (rows, cells)

  LSTM1997 hidden_;
  Parameter W_, b_;  // (cells, output), (output) or an empty handle
};

// The networks of the paper's experiments, by their numbers there; initial weights and biases as the paper has them.
Network1997Options embedded_reber_1997(std::int64_t blocks, std::int64_t cells);  // experiment 1
Network1997Options two_sequences_1997();                                          // experiment 3
Network1997Options adding_1997();                                                 // experiment 4
Network1997Options temporal_order_1997(std::int64_t blocks);  // experiment 6: 2 blocks for 4 classes, 3 for 8

}  // namespace unroll::reproduce
