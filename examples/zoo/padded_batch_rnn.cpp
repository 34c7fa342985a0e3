#include <unroll/examples/zoo/cell.hpp>

// A simple recurrent network over a batch of sequences of different lengths: row k has k steps less than the first, but at least one. A row that has ended
// keeps its state. Nothing is written by hand.
//
//   n = tanh(x_t W_x + h_(t-1) W_h + b)
//   h_t = n where t <= length, else h_(t-1)
//
// Stands for: buffers that are allocated once, before the loop, because somebody measured.
namespace unroll::zoo {

namespace {

struct PaddedBatchRNN : SimpleCell {
  Sequence<State> operator()(const std::vector<Var>& xs, const State& before, const OverTimeOptions&) const {
    Tape& tape = before.h.tape();
    const Scope scope(tape, name());
    const std::size_t T = xs.size(), rows = static_cast<std::size_t>(before.h.shape()[0]);
    const auto [W, U, bias] = weights(tape);
    Array running({before.h.shape()[0], 1}, DType::f64);
    Sequence<State> sequence{{}, before};
    for (std::size_t t = 0; t < T; ++t) {
      const Step step(tape, static_cast<std::int64_t>(t) + 1);
      for (std::size_t row = 0; row < rows; ++row) running.set_flat(row, t == 0 || t + row < T ? 1 : 0);
      const Var h = sequence.state.h;
      const Var n = tanh(affine(xs[t], W, h, U, bias)).named("n");
      sequence.state.h = where(tape.constant(running), n, h).named("h");
      sequence.outputs.push_back(sequence.state.h);
    }
    return sequence;
  }
};

}  // namespace

Specimen padded_batch_rnn() { return specimen(PaddedBatchRNN()); }

}  // namespace unroll::zoo
