#include <unroll/examples/zoo/cell.hpp>

// A clockwork network (Koutnik et al. 2014): unit j moves at every 2^j-th step only and stands still in between. (Here every unit sees every other.) The
// recurrence is written by hand.
//
//   n = tanh(x_t W_x + h_(t-1) W_h + b)
//   h_t = m_t * n + (1 - m_t) * h_(t-1)     m_t = 1 for the units with t mod 2^j = 0, t = 1 .. T
//
// Stands for: steps that are counted from 1 on paper and from 0 in a program.
namespace unroll::zoo {

namespace {

// 1 for the units that move at step t, (hidden).
Var moving(Tape& tape, std::int64_t t, std::int64_t hidden) {
  Array mask({hidden}, DType::f64);
  for (std::int64_t j = 0; j < hidden; ++j) mask.set_flat(static_cast<std::size_t>(j), t % (1 << j) == 0 ? 1 : 0);
  return tape.constant(mask, "m");
}

// The candidates of all steps come out beside the states, for the way back.
std::vector<Var> tick(std::span<const Var> in) {
  const Var us = in[0], W_h = in[2];
  Var h = in[1];
  std::vector<Var> states, candidates;
  for (std::int64_t t = 1; t <= us.shape()[0]; ++t) {
    const Step step(us.tape(), t);
    const Var from_h = matmul(h, W_h);
    const Var n = tanh(select(us, 0, t - 1) + from_h).named("n");
    h = where(moving(us.tape(), t, h.shape()[1]), n, h).named("h");
    states.push_back(h);
    candidates.push_back(n);
  }
  return {stack(states), stack(candidates)};
}

std::vector<Var> tick_backward(std::span<const Var> in, std::span<const Var> out, std::span<const Var> d) {
  const Var us = in[0], h0 = in[1], W_h = in[2], hs = out[0], ns = out[1], d_hs = d[0];
  const auto T = static_cast<std::size_t>(us.shape()[0]);
  std::vector<Var> h{h0}, d_us(T);
  for (std::size_t t = 0; t < T; ++t) h.push_back(select(hs, 0, static_cast<std::int64_t>(t)));
  Var carried, dW_h;
  for (std::size_t t = T; t-- > 0;) {
    const auto at = static_cast<std::int64_t>(t);
    const Var dh = carried.empty() ? select(d_hs, 0, at) : carried + select(d_hs, 0, at);
    const Var m = moving(us.tape(), at, W_h.shape()[0]), still = dh * (1 - m);
    const Var dn = dh * m, da = dn * (1 - square(select(ns, 0, at)));
    d_us[t] = da;
    add_to(dW_h, matmul(transpose(h[t]), da));
    carried = still + matmul(da, transpose(W_h));
  }
  return {stack(d_us), carried, dW_h};
}

struct ClockworkRNN : SimpleCell {
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    const Scope scope(before.h.tape(), name());
    const auto [W, U, bias] = weights(before.h.tape());
    const Var inputs = matmul(stack(xs), W) + bias;
    return steps_of(custom_vjp(tick, tick_backward, {inputs, before.h, U})[0]);
  }
};

}  // namespace

Specimen clockwork_rnn() { return specimen(ClockworkRNN()); }

}  // namespace unroll::zoo
