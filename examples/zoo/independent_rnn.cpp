#include <unroll/examples/zoo/cell.hpp>

// An independently recurrent network (Li et al. 2018): each unit sees its own past only. The recurrence is a scan over time, written by hand in numbers, unit
// by unit, as a kernel for a GPU would be.
//
//   u_t = x_t W_x + b
//   h_t = max(u_t + w * h_(t-1), 0)     w (hidden)
//
// Stands for: losses that are a mean over the steps, and who divides by their number.
namespace unroll::zoo {

namespace {

Var scan(Var us, Var h, Var w) {
  std::vector<Var> states;
  for (std::int64_t t = 1; t <= us.shape()[0]; ++t) {
    const Step step(us.tape(), t);
    const Var from_h = w * h;
    h = relu(select(us, 0, t - 1) + from_h).named("h");
    states.push_back(h);
  }
  return stack(states);
}

std::vector<Var> scan_backward(Var us, Var h0, Var w, Var hs, Var d_hs) {
  const std::size_t width = w.shape().size(), lanes = h0.shape().size(), steps = us.shape().size() / lanes;
  Array du(us.shape(), DType::f64), d_h0(h0.shape(), DType::f64), dw(w.shape(), DType::f64);
  for (std::size_t lane = 0; lane < lanes; ++lane) {  // one unit in one row of the batch
    const std::size_t unit = lane % width;
    double carried = 0, weight_sum = 0;
    for (std::size_t t = steps; t-- > 0;) {
      const std::size_t at = t * lanes + lane;
      const double before = t > 0 ? hs.value().flat(at - lanes) : h0.value().flat(lane);
      const double da = hs.value().flat(at) > 0 ? d_hs.value().flat(at) + carried : 0;
      weight_sum += da * before;
      carried = da * w.value().flat(unit);
      du.set_flat(at, da);
    }
    d_h0.set_flat(lane, carried);
    dw.set_flat(unit, dw.flat(unit) + weight_sum / static_cast<double>(steps));
  }
  Tape& tape = us.tape();
  return {tape.constant(du), tape.constant(d_h0), tape.constant(dw)};
}

class IndependentRNN : public HiddenCell {
 public:
  explicit IndependentRNN(Sizes sizes = {}) : HiddenCell("indrnn", sizes) {}

  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    Tape& tape = before.h.tape();
    const Scope scope(tape, name());
    const Var W = tape.use(W_x), bias = tape.use(b);
    const Var us = matmul(stack(xs), W) + bias;
    return steps_of(custom_vjp(scan, scan_backward, us, before.h, tape.use(w)));
  }

  const Parameter W_x = weight("W_x", {options.input, options.hidden});
  const Parameter w = weight("w", {options.hidden});
  const Parameter b = weight("b", {options.hidden});
};

}  // namespace

Specimen independent_rnn() { return specimen(IndependentRNN()); }

}  // namespace unroll::zoo
