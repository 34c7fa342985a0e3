#include <unroll/layers/gru.hpp>

#include <unroll/layers/cell_shapes.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/options.hpp>

namespace unroll {

GRU::GRU(const GRUOptions& o, Generator& generator) : Module(o.name), options(o) {
  require_positive(o.name, "input", o.input);
  require_positive(o.name, "hidden", o.hidden);
  W_x = add("W_x", glorot_uniform({o.input, 3 * o.hidden}, generator, o.dtype, 3));
  W_h = add("W_h", orthogonal({o.hidden, 3 * o.hidden}, generator, o.dtype, 3));
  b = add("b", Array({3 * o.hidden}, o.dtype));
  if (o.reset == Reset::after) b_h = add("b_h", Array({3 * o.hidden}, o.dtype));
  if (!o.layer_norm) return;
  g_x = add("g_x", Array::filled({3 * o.hidden}, 1, o.dtype));
  g_h = add("g_h", Array::filled({3 * o.hidden}, 1, o.dtype));
}

Var GRU::norm(Var product, const Parameter& gain, std::int64_t from, std::int64_t to) const {
  if (!options.layer_norm) return product;
  const Var part = slice(product.tape().use(gain), 0, from * options.hidden, to * options.hidden);
  return normalized(product) * part;
}

Var GRU::sums(Var a, Var weights, Var bias, const Parameter& gain) const {
  if (!options.layer_norm) return affine(a, weights, bias);
  const Var product = matmul(a, weights);
  const std::int64_t H = options.hidden;
  const Var gates = norm(slice(product, 1, 0, 2 * H), gain, 0, 2);
  const Var candidate = norm(slice(product, 1, 2 * H, 3 * H), gain, 2, 3);
  return concat({gates, candidate}, 1) + bias;
}

std::pair<Var, HiddenState> GRU::operator()(Var x, State before) const {
  Tape& tape = x.tape();
  const Scope scope(tape, name());
  require_cell_shapes(name(), x, options.input, {{"h", before.h}}, options.hidden);
  const std::int64_t H = options.hidden;
  const auto blocks = [&](Var a, std::int64_t from, std::int64_t to) { return slice(a, 1, from * H, to * H); };
  const Var W = tape.use(W_x), bias = tape.use(b), U = tape.use(W_h);
  const Var from_x = sums(x, W, bias, g_x);
  const Var r_x = blocks(from_x, 0, 1), z_x = blocks(from_x, 1, 2), n_x = blocks(from_x, 2, 3);

  Var r, z, n;
  if (options.reset == Reset::after) {
    const Var from_h = sums(before.h, U, tape.use(b_h), g_h);
    r = sigmoid(r_x + blocks(from_h, 0, 1)).named("r");
    z = sigmoid(z_x + blocks(from_h, 1, 2)).named("z");
    n = tanh(n_x + r * blocks(from_h, 2, 3)).named("n");
  } else {
    const Var from_h = norm(matmul(before.h, blocks(U, 0, 2)), g_h, 0, 2);
    r = sigmoid(r_x + blocks(from_h, 0, 1)).named("r");
    z = sigmoid(z_x + blocks(from_h, 1, 2)).named("z");
    const Var reset_h = r * before.h;
    n = tanh(n_x + norm(matmul(reset_h, blocks(U, 2, 3)), g_h, 2, 3)).named("n");
  }
  const Var kept = z * before.h, admitted = (1 - z) * n;
  const Var h = (kept + admitted).named("h");
  return {h, {h}};
}

HiddenState GRU::zero_state(Tape& tape, std::int64_t batch) const {
  return zero_hidden_state(tape, name(), batch, options.hidden, options.dtype);
}

}  // namespace unroll
