#include <unroll/examples/zoo/cell.hpp>

// Long short-term memory with weights of its own for each block k = i, f, g, o. The four sums are written by hand, in a loop over the blocks.
//
//   a_k = x W_k + h_(t-1) U_k + b_k
//   i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
//   g = tanh(a_g)
//   c_t = f * c_(t-1) + i * g
//   h_t = o * tanh(c_t)
//
// Stands for: "an LSTM has three gates", "an LSTM has four gates": both are said, of the same network.
namespace unroll::zoo {

namespace {

// x, h, and four each of W, U and b, to the four sums.
std::vector<Var> sums(std::span<const Var> in) {
  std::vector<Var> a;
  for (std::size_t k = 0; k < 4; ++k) a.push_back(affine(in[0], in[2 + k], in[1], in[6 + k], in[10 + k]));
  return a;
}

std::vector<Var> sums_backward(std::span<const Var> in, std::span<const Var>, std::span<const Var> da) {
  std::vector<Var> d(in.size());
  for (std::size_t k = 0; k < 4; ++k) {
    add_to(d[0], matmul(da[k], transpose(in[2 + k])));
    d[2 + k] = matmul(transpose(in[0]), da[k]);
    d[6 + k] = matmul(transpose(in[1]), da[k]);
    d[10 + k] = sum(da[k], {0});
  }
  for (std::size_t k = 0; k < 3; ++k) add_to(d[1], matmul(da[k], transpose(in[6 + k])));
  return d;
}

class FourGateLSTM : public MemoryCell {
 public:
  explicit FourGateLSTM(Sizes sizes = {}) : MemoryCell("lstm", sizes) {
    for (const char* letter : {"W_i", "W_f", "W_g", "W_o"}) weight(letter, {sizes.input, sizes.hidden});
    for (const char* letter : {"U_i", "U_f", "U_g", "U_o"}) weight(letter, {sizes.hidden, sizes.hidden});
    for (const char* letter : {"b_i", "b_f", "b_g", "b_o"}) weight(letter, {sizes.hidden});
  }

  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    std::vector<Var> inputs{x, before.h};
    for (const Parameter& p : parameters()) inputs.push_back(x.tape().use(p));
    const std::vector<Var> a = custom_vjp(sums, sums_backward, inputs);
    const Var i = sigmoid(a[0]).named("i"), f = sigmoid(a[1]).named("f"), g = tanh(a[2]).named("g");
    const Var kept = f * before.c, admitted = i * g;
    const Var c = (kept + admitted).named("c");
    const Var o = sigmoid(a[3]).named("o"), h = (o * tanh(c)).named("h");
    return {h, {h, c}};
  }
};

}  // namespace

Specimen four_gate_lstm() { return specimen(FourGateLSTM()); }

}  // namespace unroll::zoo
