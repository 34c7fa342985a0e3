#include <unroll/examples/reproduce/network_1997.hpp>

#include <unroll/layers/initializers.hpp>

namespace unroll::reproduce {

namespace {

// first, first + step, ... : one for each block, so that the blocks come into use one after the other.
std::vector<double> staggered(std::int64_t blocks, double first, double step) {
  std::vector<double> biases;
  for (std::int64_t j = 0; j < blocks; ++j) biases.push_back(first + step * static_cast<double>(j));
  return biases;
}

}  // namespace

Network1997::Network1997(const Network1997Options& o, Generator& generator)
    : Module("network"), options(o), hidden_(o.hidden, generator) {
  const double range = o.hidden.range;
  Module::add(hidden_);
  W_ = add("W", uniform({hidden_.cells(), o.output}, -range, range, generator, o.hidden.dtype));
  if (o.output_bias) b_ = add("b", uniform({o.output}, -range, range, generator, o.hidden.dtype));
}

Var Network1997::readout(Var h) const {
  Tape& tape = h.tape();
  const Scope scope(tape, name());
  const Var weights = tape.use(W_);
  return sigmoid(options.output_bias ? affine(h, weights, tape.use(b_)) : matmul(h, weights)).named("y");
}

Var Network1997::at_every_step(Var xs) const {
  const std::int64_t T = xs.shape()[0], B = xs.shape()[1];
  const Var h = over_time(hidden_, xs).stacked();
  return reshape(readout(reshape(h, {T * B, hidden_.cells()})), {T, B, options.output});
}

Var Network1997::at_the_end(Var xs) const { return readout(over_time(hidden_, xs).outputs.back()); }

Network1997Options embedded_reber_1997(std::int64_t blocks, std::int64_t cells) {
  return {.hidden = {.input = 7,
                     .blocks = blocks,
                     .cells = cells,
                     .cell_bias = false,
                     .range = 0.2,
                     .output_gate_bias = staggered(blocks, -1, -1)},
          .output = 7,
          .output_bias = false};
}

Network1997Options two_sequences_1997() {
  return {.hidden = {.input = 1,
                     .blocks = 3,
                     .input_gate_bias = staggered(3, -1, -2),
                     .output_gate_bias = staggered(3, -2, -2)},
          .output = 1,
          .output_bias = false};
}

Network1997Options adding_1997() {
  return {.hidden = {.input = 2, .blocks = 2, .cells = 2, .input_gate_bias = staggered(2, -3, -3)}, .output = 1};
}

Network1997Options temporal_order_1997(std::int64_t blocks) {
  return {.hidden = {.input = 8, .blocks = blocks, .cells = 2, .input_gate_bias = staggered(blocks, -2, -2)},
          .output = blocks == 2 ? 4 : 8};
}

}  // namespace unroll::reproduce
