#include <unroll/examples/reproduce/learner.hpp>

#include <unroll/core/array/error.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/lstm_1997.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/rnn.hpp>

#include <cmath>

namespace unroll::reproduce {

namespace {

template <class Layer> Learner learner(const Layer& layer, std::int64_t width, std::int64_t output, Generator& g) {
  const Linear readout({.input = width, .output = output, .name = "readout"}, g);
  Learner result{layer.parameters(), [=](Var xs) { return readout(over_time(layer, xs).stacked()); },
                 [=](Var xs) { return readout(over_time(layer, xs).outputs.back()); }};
  for (const Parameter& p : readout.parameters()) result.parameters.push_back(p);
  return result;
}

}  // namespace

const char* to_string(Cell cell) {
  switch (cell) {
    case Cell::rnn: return "RNN, orthogonal";
    case Cell::rnn_uniform: return "RNN, uniform";
    case Cell::lstm: return "LSTM, forget bias 1";
    case Cell::lstm_open: return "LSTM, forget bias 5";
    case Cell::lstm_1997: return "LSTM of 1997";
    case Cell::gru: return "GRU";
  }
  throw Error("not a cell");
}

Learner make_learner(const LearnerOptions& o, Generator& g) {
  switch (o.cell) {
    case Cell::rnn: return learner(RNN({.input = o.input, .hidden = o.hidden}, g), o.hidden, o.output, g);
    case Cell::rnn_uniform: {
      RNN rnn({.input = o.input, .hidden = o.hidden}, g);
      const double limit = 1 / std::sqrt(static_cast<double>(o.hidden));
      rnn.W_h.assign(uniform(rnn.W_h.shape(), -limit, limit, g));
      return learner(rnn, o.hidden, o.output, g);
    }
    case Cell::lstm: return learner(LSTM({.input = o.input, .hidden = o.hidden}, g), o.hidden, o.output, g);
    case Cell::lstm_open:
      return learner(LSTM({.input = o.input, .hidden = o.hidden, .forget_bias = 5}, g), o.hidden, o.output, g);
    case Cell::lstm_1997: {
      // Shut input gates keep the noise of a long sequence out of a memory that forgets nothing ("state drift" in the paper).
      const std::vector<double> shut(static_cast<std::size_t>(o.hidden), -4);
      return learner(LSTM1997({.input = o.input, .blocks = o.hidden, .input_gate_bias = shut}, g), o.hidden, o.output,
                     g);
    }
    case Cell::gru: return learner(GRU({.input = o.input, .hidden = o.hidden}, g), o.hidden, o.output, g);
  }
  throw Error("not a cell");
}

}  // namespace unroll::reproduce
