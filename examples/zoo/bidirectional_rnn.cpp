#include <unroll/examples/zoo/cell.hpp>

// A bidirectional network (Schuster and Paliwal 1997) from one kind of loop: the sequence is turned round in time, run through, and the result turned round
// again. The turning is written by hand.
//
//   f_t = tanh(x_t W_x + f_(t-1) W_h + b)
//   b_t = tanh(x_t V_x + b_(t+1) V_h + c)
//   y_t = [f_t, b_t]
//
// Stands for: operations that only move numbers, and so seem to have no derivative.
namespace unroll::zoo {

namespace {

struct BothStates {
  Var forward, backward;
};

Var turned(Var sequence) {
  std::vector<std::int64_t> order;
  for (std::int64_t t = sequence.shape()[0]; t-- > 0;) order.push_back(t);
  return gather(sequence, order);
}

Var turned_backward(Var, Var, Var d) { return d; }

struct BidirectionalRNN : SimpleCell {
  using State = BothStates;

  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    Tape& tape = before.forward.tape();
    const Scope scope(tape, name());
    const Weights back{tape.use(V_x), tape.use(V_h), tape.use(c)};
    const Var sequence = stack(xs), from_the_end = custom_vjp(turned, turned_backward, sequence);
    const std::vector<Var> f = run(sequence, before.forward, weights(tape));
    const std::vector<Var> b_turned = run(from_the_end, before.backward, back);
    const Var fs = stack(f), bs = custom_vjp(turned, turned_backward, stack(b_turned));
    return {time_steps(concat({fs, bs}, 2)), {f.back(), b_turned.back()}};
  }
  State zero_state(Tape& tape, std::int64_t batch) const {
    const auto zeros = [&](const char* direction) {
      return zero_hidden_state(tape, direction, batch, options.hidden, DType::f64).h;
    };
    return {zeros("forward"), zeros("backward")};
  }

  const Parameter V_x = weight("V_x", {options.input, options.hidden});
  const Parameter V_h = weight("V_h", {options.hidden, options.hidden});
  const Parameter c = weight("c", {options.hidden});

 private:
  // All states of one direction, in the order in which it goes.
  static std::vector<Var> run(Var sequence, Var h, const Weights& w) {
    std::vector<Var> states;
    for (const Var& x : time_steps(sequence)) {
      const Step step(x.tape(), static_cast<std::int64_t>(states.size()) + 1);
      h = tanh(affine(x, w.W_x, h, w.W_h, w.b)).named("h");
      states.push_back(h);
    }
    return states;
  }
};

}  // namespace

Specimen bidirectional_rnn() { return specimen(BidirectionalRNN()); }

}  // namespace unroll::zoo
