#include <unroll/examples/zoo/cell.hpp>
#include <unroll/layers/layer_norm.hpp>

// A simple recurrent network with normalised sums (Ba, Kiros and Hinton 2016). The normalisation is written by hand; its gain g and bias b are not.
//
//   a = x W_x + h_(t-1) W_h
//   n = (a - mean(a)) / s,  s = sqrt(variance(a) + epsilon)
//   h_t = tanh(n * g + b)
//
// Stands for: normalisations whose backward was derived term by term on paper.
namespace unroll::zoo {

namespace {

Var normalize(Var a) { return normalized(a).named("n"); }

Var normalize_backward(Var a, Var, Var dn) {
  const Var centred = a - mean(a, {-1}, true);
  const Var deviation = sqrt(mean(square(centred), {-1}, true) + layer_norm_epsilon);
  const Var d_centred = dn / deviation;
  return d_centred - mean(d_centred, {-1}, true);
}

struct LayerNormRNN : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var from_x = matmul(x, W), from_h = matmul(before.h, U);
    const Var n = custom_vjp(normalize, normalize_backward, from_x + from_h);
    const Var h = tanh(n * tape.use(g) + bias).named("h");
    return {h, {h}};
  }

  const Parameter g = weight("g", {options.hidden});
};

}  // namespace

Specimen layer_norm_rnn() { return specimen(LayerNormRNN()); }

}  // namespace unroll::zoo
