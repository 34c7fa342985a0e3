#include <unroll/examples/zoo/cell.hpp>

#include <memory>

// A simple recurrent network with dropout on the state, the same mask at all steps (Gal and Ghahramani 2016), here from a fixed seed. The
// dropout is written by hand.
//
//   d = dropout(h_(t-1)),  each element 0 with probability 1/2, else doubled
//   h_t = tanh(x W_x + d W_h + b)
//
// Stands for: parts that are computed anew on the way back to save memory, and generators of random numbers.
namespace unroll::zoo {

namespace {

constexpr std::uint64_t mask_seed = 5;

struct RecurrentDropout : SimpleCell {
  std::pair<Var, State> operator()(Var x, State before) const {
    const Scope scope(x.tape(), name());
    const auto drop = [](Var h) {
      Generator draws(mask_seed);
      return dropout(h, 0.5, draws);
    };
    const auto drop_backward = [again = generator](Var, Var, Var d) { return dropout(d, 0.5, *again); };
    const Var kept = custom_vjp(drop, drop_backward, before.h);
    const auto [W, U, bias] = weights(x.tape());
    const Var h = tanh(affine(x, W, kept, U, bias)).named("h");
    return {h, {h}};
  }

  const std::shared_ptr<Generator> generator = std::make_shared<Generator>(mask_seed);
};

}  // namespace

Specimen recurrent_dropout() { return specimen(RecurrentDropout()); }

}  // namespace unroll::zoo
