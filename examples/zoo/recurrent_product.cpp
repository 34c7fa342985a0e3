#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network of which only the product with the state is written by hand, so that a faster kernel can take its place.
//
//   h_t = tanh(x W_x + h_(t-1) W_h + b)
//
// Stands for: layers that were moved between libraries, of which one stores a weight as (in, out), another as (out, in). W_h is square: every shape
// fits either way.
namespace unroll::zoo {

namespace {

Var product(Var h, Var W_h) { return matmul(h, W_h); }

std::vector<Var> product_backward(Var h, Var W_h, Var, Var d) {
  const Var dh = matmul(d, W_h);
  const Var dW_h = matmul(transpose(h), d);
  return {dh, dW_h};
}

struct RecurrentProduct : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto [W, U, bias] = weights(x.tape());
    const Var from_x = affine(x, W, bias);
    const Var from_h = custom_vjp(product, product_backward, before.h, U);
    const Var h = tanh(from_x + from_h).named("h");
    return {h, {h}};
  }
};

}  // namespace

Specimen recurrent_product() { return specimen(RecurrentProduct()); }

}  // namespace unroll::zoo
