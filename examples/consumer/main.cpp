// Draws a GRU over three time steps, with the gradients of its loss, into gru.svg.
#include <unroll/unroll.hpp>

#include <xtensor/xrandom.hpp>

int main() {
  unroll::Generator generator(1);
  unroll::GRU gru({.input = 2, .hidden = 3}, generator);
  unroll::Tape tape;
  const xt::xarray<float> x = xt::random::randn<float>({3, 1, 2});  // (time, batch, feature)
  auto [outputs, state] = unroll::over_time(gru, tape.constant(x));
  const unroll::Var loss = mean(square(state.h));
  const unroll::Gradients gradients = backward(loss, {.keep = unroll::Keep::all});
  unroll::render(tape, "gru.svg", {.gradients = &gradients});
}
