#include <unroll/layers/rnn.hpp>

#include <unroll/layers/cell_shapes.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/options.hpp>

namespace unroll {

HiddenState zero_hidden_state(Tape& tape, const std::string& layer, std::int64_t batch, std::int64_t hidden,
                              DType dtype) {
  const Scope scope(tape, layer);
  const Step step(tape, 0);
  return {tape.constant(Array({batch, hidden}, dtype), "h")};
}

RNN::RNN(const RNNOptions& o, Generator& generator) : Module(o.name), options(o) {
  require_positive(o.name, "input", o.input);
  require_positive(o.name, "hidden", o.hidden);
  W_x = add("W_x", glorot_uniform({o.input, o.hidden}, generator, o.dtype));
  W_h = add("W_h", orthogonal({o.hidden, o.hidden}, generator, o.dtype));
  b = add("b", Array({o.hidden}, o.dtype));
  if (o.layer_norm) g = add("g", Array::filled({o.hidden}, 1, o.dtype));
}

std::pair<Var, HiddenState> RNN::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}}, options.hidden);
  const Var W = tape.use(W_x), U = tape.use(W_h), bias = tape.use(b);
  const auto normalized_sum = [&] {
    const Var gain = tape.use(g), from_x = matmul(x, W), from_h = matmul(before.h, U);
    return layer_norm(from_x + from_h, gain, bias);
  };
  const Var a = options.layer_norm ? normalized_sum() : affine(x, W, before.h, U, bias);
  const Var h = (options.activation == Activation::tanh ? tanh(a) : relu(a)).named("h");
  return {h, {h}};
}

HiddenState RNN::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_hidden_state(tape, name(), batch, options.hidden, options.dtype);
}

}  // namespace unroll
