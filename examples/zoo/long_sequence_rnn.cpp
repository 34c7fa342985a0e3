#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network for long sequences, which goes through them two steps at a time, as a program does that cannot hold all of them at
// once. Nothing is written by hand. Its gradient is meant to be that of the whole sequence.
//
//   h_t = tanh(x_t W_x + h_(t-1) W_h + b),  t = 1 .. T
//
// Stands for: training loops, states that are fed to the next call, and what becomes of them there.
namespace unroll::zoo {

namespace {

struct LongSequenceRNN : SimpleCell {
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    Tape& tape = before.h.tape();
    Sequence<State> all{{}, before};
    for (std::size_t t = 0; t < xs.size(); ++t) {
      if (t > 0 && t % 2 == 0) all.state = resumed(zero_state(tape, before.h.shape()[0]), carried(all.state));
      const Step now(tape, static_cast<std::int64_t>(t) + 1);
      all.state.h = step(xs[t], all.state.h);
      all.outputs.push_back(all.state.h);
    }
    return all;
  }

 private:
  Var step(Var x, Var h) const {
    Tape& tape = x.tape();
    const Scope scope(tape, name());
    const auto [W, U, bias] = weights(tape);
    return tanh(affine(x, W, h, U, bias)).named("h");
  }
};

}  // namespace

Specimen long_sequence_rnn() { return specimen(LongSequenceRNN()); }

}  // namespace unroll::zoo
