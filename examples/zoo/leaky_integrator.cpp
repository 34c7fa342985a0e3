#include <unroll/examples/zoo/cell.hpp>

// A recurrent network of leaky integrators, whose time constants are learned: each unit mixes its past with what comes in. The mixture is written by
// hand.
//
//   n = tanh(x W_x + h_(t-1) W_h + b)
//   k = sigmoid(leak)
//   h_t = (1 - k) h_(t-1) + k n
//
// Stands for: formulas that were rearranged between paper and program, h + k (n - h) or n + (1 - k)(h - n).
namespace unroll::zoo {

namespace {

Var integrate(Var h, Var n, Var leak) {
  const Var k = sigmoid(leak);
  const Var kept = (1 - k) * h, admitted = k * n;
  return (kept + admitted).named("h");
}

std::vector<Var> integrate_backward(Var h, Var n, Var leak, Var, Var d) {
  const Var k = sigmoid(leak), slope = k * (1 - k);
  const Var dk = sum(d * (h - n), {0});
  return {d * (1 - k), d * k, dk * slope};
}

struct LeakyIntegrator : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    const Var n = tanh(affine(x, W, before.h, U, bias)).named("n");
    const Var h = custom_vjp(integrate, integrate_backward, before.h, n, tape.use(leak));
    return {h, {h}};
  }

  const Parameter leak = weight("leak", {options.hidden});
};

}  // namespace

Specimen leaky_integrator() { return specimen(LeakyIntegrator()); }

}  // namespace unroll::zoo
