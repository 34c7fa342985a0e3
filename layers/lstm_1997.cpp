#include <unroll/layers/lstm_1997.hpp>

#include <unroll/layers/cell_shapes.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/options.hpp>

#include <fmt/format.h>

namespace unroll {

namespace {

// Writes the biases of one kind of gate, where they are given.
void set_gate_bias(Array& bias, std::int64_t from, const std::vector<double>& values, const LSTM1997Options& o,
                   const char* option) {
  if (values.empty()) return;
  if (static_cast<std::int64_t>(values.size()) != o.blocks)
    throw ShapeError(fmt::format("{}: option {} has {} values, expected none or one for each of the {} blocks", o.name,
                                 option, values.size(), o.blocks));
  for (std::size_t j = 0; j < values.size(); ++j) bias.set_flat(static_cast<std::size_t>(from) + j, values[j]);
}

}  // namespace

LSTM1997::LSTM1997(const LSTM1997Options& o, Generator& generator) : Module(o.name), options(o) {
  require_positive(o.name, "input", o.input);
  require_positive(o.name, "blocks", o.blocks);
  require_positive(o.name, "cells", o.cells);
  W_x = add("W_x", uniform({o.input, units()}, -o.range, o.range, generator, o.dtype));
  W_y = add("W_y", uniform({units(), units()}, -o.range, o.range, generator, o.dtype));
  const std::int64_t gates = o.cell_bias ? cells() : 0;  // where the biases of the gates begin
  Array bias = uniform({gates + 2 * o.blocks}, -o.range, o.range, generator, o.dtype);
  set_gate_bias(bias, gates, o.input_gate_bias, o, "input_gate_bias");
  set_gate_bias(bias, gates + o.blocks, o.output_gate_bias, o, "output_gate_bias");
  b = add("b", bias);
}

std::pair<Var, LSTM1997State> LSTM1997::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"y", before.y}}, units());
  require_cell_shapes(name(), x, options.input, {{"c", before.c}}, cells());
  const std::int64_t B = x.shape()[0], N = cells(), J = options.blocks;
  // The cells of a block meet its gate by broadcasting: (batch, blocks, cells) with (batch, blocks, 1).
  const auto in_blocks = [&](Var v) { return reshape(v, {B, J, v.shape()[1] / J}); };
  const auto in_row = [&](Var v) { return reshape(v, {B, N}); };

  const Var W = tape.use(W_x), U = tape.use(W_y);
  const Var bias = options.cell_bias ? tape.use(b) : pad(tape.use(b), 0, N, 0);
  const Var seen = options.truncated ? unroll::detach(before.y) : before.y;
  const Var a = affine(x, W, seen, U, bias).named("a");
  const Var gates = sigmoid(slice(a, 1, N, N + 2 * J));
  const Var i = slice(gates, 1, 0, J).named("i"), o = slice(gates, 1, J, 2 * J).named("o");
  const Var g = (4.0 * sigmoid(slice(a, 1, 0, N)) - 2.0).named("g");
  const Var i_blocks = in_blocks(i), g_blocks = in_blocks(g);
  const Var c = (before.c + in_row(i_blocks * g_blocks)).named("c");
  const Var shown = 2.0 * sigmoid(c) - 1.0;
  const Var o_blocks = in_blocks(o), shown_blocks = in_blocks(shown);
  const Var h = in_row(o_blocks * shown_blocks).named("h");
  const Var y = concat({h, gates}, 1).named("y");
  return {h, {y, c}};
}

LSTM1997State LSTM1997::zero_state(Tape& tape, std::int64_t batch) const {
  const Scope scope(tape, name());
  const Step step(tape, 0);
  return {tape.constant(Array({batch, units()}, options.dtype), "y"),
          tape.constant(Array({batch, cells()}, options.dtype), "c")};
}

}  // namespace unroll
