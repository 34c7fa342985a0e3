#pragma once

#include "laws.hpp"

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/rnn.hpp>

#include <cstdint>
#include <ostream>
#include <vector>

#include <fmt/format.h>
#include <rapidcheck.h>

// Random recurrent layers over random sequences, and those as functions whose derivatives obey laws.
namespace unroll::test {

enum class LayerKind {
  rnn,
  relu_rnn,
  lstm,
  peephole_lstm,
  gru,
  gru_after,
  normalized_rnn,
  normalized_lstm,
  projected_lstm,
  normalized_gru
};
inline constexpr const char* layer_kind_names[] = {"RNN",
                                                   "relu RNN",
                                                   "LSTM",
                                                   "LSTM with peepholes",
                                                   "GRU",
                                                   "GRU, reset after",
                                                   "RNN with layer norm",
                                                   "LSTM with layer norm",
                                                   "LSTM with projection",
                                                   "GRU with layer norm"};
inline constexpr int layer_kinds = 10;
inline constexpr int textbook_kinds = 6;  // the first of them also exist in textbook form

enum class Running { all, lengths, mask };

struct RecurrentCase {
  LayerKind kind;
  std::int64_t input, hidden, batch, time;
  Running running;  // which steps of a sequence are its own
  bool reverse;
  std::uint64_t seed;  // of parameters, inputs, states, lengths and mask

  // How long each sequence is: from 1 to `time`.
  std::vector<std::int64_t> lengths() const {
    Generator generator(seed);
    std::vector<std::int64_t> result;
    for (std::int64_t b = 0; b < batch; ++b)
      result.push_back(1 + static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(time))));
    return result;
  }
  // With holes.
  Array mask() const {
    Generator generator(seed);
    Array result({time, batch}, DType::f64);
    for (std::size_t i = 0; i < result.size(); ++i) result.set_flat(i, generator.uniform() < 0.6);
    return result;
  }
  OverTimeOptions options() const {
    OverTimeOptions options;
    options.reverse = reverse;
    if (running == Running::lengths) options.lengths = lengths();
    if (running == Running::mask) options.mask = mask();
    return options;
  }
};

inline std::ostream& operator<<(std::ostream& out, const RecurrentCase& c) {
  constexpr const char* running[] = {"all steps", "lengths", "mask"};
  return out << fmt::format("{}, input {}, hidden {}, batch {}, time {}, {}{}, seed {}",
                            layer_kind_names[static_cast<int>(c.kind)], c.input, c.hidden, c.batch, c.time,
                            running[static_cast<int>(c.running)], c.reverse ? ", reverse" : "", c.seed);
}

// Calls use(layer) with a layer of this kind.
template <class Use> auto with_layer(const RecurrentCase& c, DType dtype, Use&& use) {
  Generator generator(1);
  const auto rnn = [&](RNNOptions o) {
    o.input = c.input, o.hidden = c.hidden, o.dtype = dtype;
    return use(RNN(o, generator));
  };
  const auto lstm = [&](LSTMOptions o) {
    o.input = c.input, o.hidden = c.hidden, o.dtype = dtype;
    return use(LSTM(o, generator));
  };
  const auto gru = [&](GRUOptions o) {
    o.input = c.input, o.hidden = c.hidden, o.dtype = dtype;
    return use(GRU(o, generator));
  };
  switch (c.kind) {
    case LayerKind::relu_rnn: return rnn({.activation = Activation::relu});
    case LayerKind::normalized_rnn: return rnn({.layer_norm = true});
    case LayerKind::lstm: return lstm({});
    case LayerKind::peephole_lstm: return lstm({.peepholes = true});
    case LayerKind::normalized_lstm: return lstm({.layer_norm = true});
    case LayerKind::projected_lstm: return lstm({.projection = 1 + c.hidden / 2});
    case LayerKind::gru: return gru({});
    case LayerKind::gru_after: return gru({.reset = Reset::after});
    case LayerKind::normalized_gru: return gru({.layer_norm = true});
    default: return rnn({});
  }
}

// A layer over time as a function of the inputs (time, batch, input), its first state and its parameters, in this order. `unroll(layer, x, state,
// cut)` gives a Sequence, all of which is the result; it may add to the cut.
template <class Unroll> Function function_by(const RecurrentCase& c, const Unroll& unroll) {
  Function f;
  with_layer(c, DType::f64, [&](const auto& layer) {
    Generator generator(c.seed + 1);
    const auto add = [&](const Shape& shape) {
      f.at.push_back(uniform(shape, -1, 1, generator, DType::f32).as(DType::f64));
    };
    Tape tape;
    add({c.time, c.batch, c.input});
    for (const Var& part : state_vars(layer.zero_state(tape, c.batch))) add(part.shape());
    for (const Parameter& parameter : layer.parameters()) add(parameter.shape());
  });
  f.record = [c, unroll](Tape& tape, const std::vector<Array>& at) {
    return with_layer(c, at[0].dtype(), [&](const auto& layer) {
      Recorded r;
      auto value = at.begin();
      const auto leaf = [&] {
        r.leaves.push_back(tape.input(*value++));
        return r.leaves.back();
      };
      const Var x = leaf();
      const auto state = map_state(layer.zero_state(tape, c.batch), [&](Var) { return leaf(); });
      for (Parameter parameter : layer.parameters()) {
        parameter.assign(*value++);
        r.leaves.push_back(tape.use(parameter));
      }
      r.cut = r.leaves;
      const auto sequence = unroll(layer, x, state, r.cut);
      std::vector<Var> results = sequence.outputs;
      for (const Var& part : state_vars(sequence.state)) results.push_back(part);
      for (Var& result : results) result = reshape(result, {static_cast<std::int64_t>(result.shape().size())});
      r.y = concat(results, 0);
      const auto end = static_cast<NodeId>(tape.size());
      for (NodeId id = 0; id < end; ++id)
        if (tape[id].op->name == "relu") r.sides.push_back(sign(tape.var(id)));
      return r;
    });
  };
  return f;
}

inline Function function_of(const RecurrentCase& c, const OverTimeOptions& options) {
  return function_by(c, [options](const auto& layer, Var x, auto state, std::vector<Var>&) {
    return over_time(layer, x, state, options);
  });
}

}  // namespace unroll::test

template <> struct rc::Arbitrary<unroll::test::RecurrentCase> {
  static rc::Gen<unroll::test::RecurrentCase> arbitrary() {
    using namespace unroll::test;
    const auto up_to = [](std::int64_t most) { return rc::gen::inRange<std::int64_t>(1, most + 1); };
    const auto kind = rc::gen::map(rc::gen::inRange(0, layer_kinds), [](int i) { return static_cast<LayerKind>(i); });
    const auto running = rc::gen::map(rc::gen::inRange(0, 3), [](int i) { return static_cast<Running>(i); });
    return rc::gen::build<RecurrentCase>(
        rc::gen::set(&RecurrentCase::kind, kind), rc::gen::set(&RecurrentCase::input, up_to(3)),
        rc::gen::set(&RecurrentCase::hidden, up_to(4)), rc::gen::set(&RecurrentCase::batch, up_to(4)),
        rc::gen::set(&RecurrentCase::time, up_to(6)), rc::gen::set(&RecurrentCase::running, running),
        rc::gen::set(&RecurrentCase::reverse),
        rc::gen::set(&RecurrentCase::seed, rc::gen::inRange<std::uint64_t>(0, 1000000)));
  }
};
