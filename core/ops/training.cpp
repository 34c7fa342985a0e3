#include <unroll/core/ops/families.hpp>
#include <unroll/core/ops/pointwise.hpp>

#include <vector>

#include <fmt/format.h>

namespace unroll {

namespace {

// ---- dropout: x times a mask of 0 and 1 / (1 - rate), which is an operand, so that the tape holds all there is to know

std::vector<Sample> dropout_samples() {
  return {{{spread({3, 4}, -2, 2)}, [](std::span<const Var> x) {
             Generator generator(7);  // each call draws the same mask
             return dropout(x[0], 0.4, generator);
           }}};
}

const Op& dropout_op = define_binary(
    {"dropout", dropout_samples},                                                            //
    [](auto x, auto mask) { return x * mask; }, [](auto, auto mask, auto) { return mask; },  //
    [](auto x, auto, auto) { return x; });

// ---- detach: no derivative, so the sweeps end here

const Op& detach_op = define({
    .name = "detach",
    .shape = [](const Call& c) { return c.shape(0); },
    .view =
        [](const Call& c, ArrayView& out, Arena&) {
          out = *c.inputs[0];
          return true;
        },
    .samples =
        [] {
          return std::vector<Sample>{
              {{spread({2, 3}, -2, 2)}, [](std::span<const Var> x) { return detach(x[0]); }, {0}}};
        },
});

}  // namespace

Var dropout(Var x, double rate, Generator& generator) {
  if (!(rate >= 0 && rate < 1)) throw ShapeError(fmt::format("dropout: rate {} is not in [0, 1)", rate));
  if (rate == 0) return x;
  Array mask(x.shape(), x.dtype());
  for (std::size_t i = 0; i < mask.size(); ++i) mask.set_flat(i, generator.uniform() < rate ? 0 : 1 / (1 - rate));
  return apply(dropout_op, {x, x.tape().constant(mask)});
}

Var detach(Var x) { return apply(detach_op, {x}); }

const Op& training_family() { return dropout_op; }

}  // namespace unroll
