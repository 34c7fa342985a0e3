#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory with coupled gates (a variant in Greff et al. 2017): what is forgotten makes room for what comes in. The memory is written by hand.
//
//   f = sigmoid(x W_f + h_(t-1) U_f + b_f)
//   g = tanh   (x W_g + h_(t-1) U_g + b_g)
//   o = sigmoid(x W_o + h_(t-1) U_o + b_o)
//   c_t = f * c_(t-1) + (1 - f) * g
//   h_t = o * tanh(c_t)
//
// Stands for: code that grew from the LSTM of 1997, whose memory was a plain sum.
namespace unroll::zoo {

namespace {

Var memory(Var f, Var g, Var before) {
  const Var kept = f * before, admitted = (1 - f) * g;
  return (kept + admitted).named("c");
}

std::vector<Var> memory_backward(Var f, Var g, Var before, Var, Var dc) {
  const Var df = dc * (before - g);
  const Var dg = dc * (1 - f);
  return {df, dg, dc};
}

class CoupledLSTM : public PackedCell<MemoryCell, 3> {
 public:
  explicit CoupledLSTM(Sizes sizes = {}) : PackedCell("lstm", sizes) {}

  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const std::vector<Var> a = split(affine(x, W, before.h, U, bias), 1, 3);
    const Var f = sigmoid(a[0]).named("f"), g = tanh(a[1]).named("g"), o = sigmoid(a[2]).named("o");
    const Var c = custom_vjp(memory, memory_backward, f, g, before.c);
    const Var h = (o * tanh(c)).named("h");
    return {h, {h, c}};
  }
};

}  // namespace

Specimen coupled_lstm() { return specimen(CoupledLSTM()); }

}  // namespace unroll::zoo
