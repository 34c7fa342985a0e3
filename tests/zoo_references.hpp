#pragma once

#include "layers_support.hpp"

#include <unroll/examples/zoo/zoo.hpp>
#include <unroll/layers/lstm_1997.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// For every animal of the zoo a cell without a fault: a layer of the library, or the equations in plain operations, with copies of the animal's
// parameters.
namespace unroll::test {

using VarSequence = Sequence<std::vector<Var>>;

struct Reference {
  std::vector<Parameter> parameters;
  std::function<VarSequence(Var x, std::span<const Var> state)> unrolled;
};

// ---- layers of the library

template <class Layer> Reference library(const Layer& layer, const zoo::Specimen& specimen) {
  for (Parameter own : layer.parameters())
    for (const Parameter& given : specimen.parameters)
      if (short_name(own) == short_name(given)) own.assign(given.value());
  const auto unrolled = [layer](Var x, std::span<const Var> state) -> VarSequence {
    const auto form = layer.zero_state(x.tape(), x.shape()[1]);
    const auto [outputs, last] = over_time(layer, x, with_vars(form, state));
    return {outputs, state_vars(last)};
  };
  return {layer.parameters(), unrolled};
}

// A layer with these options, the animal's inputs, and float64.
template <class Layer, class Options> Reference library(Options options, const zoo::Specimen& specimen) {
  Generator generator(1);
  options.input = specimen.input;
  options.dtype = DType::f64;
  return library(Layer(options, generator), specimen);
}

// ---- plain operations

// One step of a plain cell: its inputs, and what it may ask for.
struct PlainStep {
  Tape& tape;
  const std::vector<Parameter>& parameters;
  Var x;
  std::span<const Var> state;
  std::int64_t t, T;  // this step, of 1 .. T

  Var operator()(const std::string& letter) const {
    const auto found =
        std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return short_name(p) == letter; });
    REQUIRE(found != parameters.end());
    return tape.use(*found);
  }
  // x W + h U + b
  Var sum_of(Var h, const std::string& W = "W_x", const std::string& U = "W_h", const std::string& b = "b") const {
    return matmul(x, (*this)(W)) + matmul(h, (*this)(U)) + (*this)(b);
  }
};
// Gives the output, then the next state.
using PlainCell = std::function<std::vector<Var>(const PlainStep& step)>;

inline std::vector<Parameter> copies(const zoo::Specimen& specimen) {
  std::vector<Parameter> result;
  for (const Parameter& p : specimen.parameters) result.emplace_back(p.name(), p.value());
  return result;
}

inline Reference plain(const PlainCell& cell, const zoo::Specimen& specimen) {
  const std::vector<Parameter> parameters = copies(specimen);
  const auto unrolled = [cell, parameters](Var x, std::span<const Var> state) {
    VarSequence sequence{{}, {state.begin(), state.end()}};
    const std::vector<Var> xs = time_steps(x);
    const auto T = static_cast<std::int64_t>(xs.size());
    for (std::int64_t t = 1; t <= T; ++t) {
      const std::vector<Var> before = sequence.state;
      const std::vector<Var> after = cell({x.tape(), parameters, xs[static_cast<std::size_t>(t - 1)], before, t, T});
      sequence.outputs.push_back(after[0]);
      sequence.state.assign(after.begin() + 1, after.end());
    }
    return sequence;
  };
  return {parameters, unrolled};
}

// A cell whose output is its new state h.
template <class NewState> PlainCell hidden(const NewState& new_state) {
  return [new_state](const PlainStep& s) {
    const Var h = new_state(s, s.state[0]);
    return std::vector<Var>{h, h};
  };
}

inline Var mask_of(Tape& tape, Shape shape, const std::function<bool(std::int64_t)>& is_one) {
  Array mask(std::move(shape), DType::f64);
  for (std::size_t k = 0; k < mask.size(); ++k) mask.set_flat(k, is_one(static_cast<std::int64_t>(k)) ? 1 : 0);
  return tape.constant(mask);
}

inline std::vector<Var> plain_lstm(Var a, Var c_before) {
  const std::vector<Var> k = split(a, 1, 4);
  const Var c = sigmoid(k[1]) * c_before + sigmoid(k[0]) * tanh(k[2]), h = sigmoid(k[3]) * tanh(c);
  return {h, h, c};
}

// One network forwards and one backwards in time.
inline Reference plain_bidirectional(const zoo::Specimen& specimen) {
  const std::vector<Parameter> parameters = copies(specimen);
  const auto unrolled = [parameters](Var x, std::span<const Var> state) {
    const std::vector<Var> xs = time_steps(x);
    std::vector<Var> f(xs.size()), b(xs.size()), outputs;
    Var h = state[0];
    for (std::size_t t = 0; t < xs.size(); ++t) {
      const PlainStep s{x.tape(), parameters, xs[t], state, 0, 0};
      f[t] = h = tanh(s.sum_of(h));
    }
    h = state[1];
    for (std::size_t t = xs.size(); t-- > 0;) {
      const PlainStep s{x.tape(), parameters, xs[t], state, 0, 0};
      b[t] = h = tanh(s.sum_of(h, "V_x", "V_h", "c"));
    }
    for (std::size_t t = 0; t < xs.size(); ++t) outputs.push_back(concat({f[t], b[t]}, 1));
    return VarSequence{outputs, {f.back(), b.front()}};
  };
  return {parameters, unrolled};
}

// ---- all of them

using ReferenceOf = std::function<Reference(const zoo::Specimen& specimen)>;

inline const std::map<std::string, ReferenceOf>& zoo_references() {
  const auto from_library = [](auto layer, auto options) -> ReferenceOf {
    return [options](const zoo::Specimen& s) { return library<typename decltype(layer)::type>(options, s); };
  };
  const auto from_equations = [](const PlainCell& cell) -> ReferenceOf {
    return [cell](const zoo::Specimen& s) { return plain(cell, s); };
  };
  const auto rnn = [&](const RNNOptions& o) { return from_library(std::type_identity<RNN>(), o); };
  const auto gru = [&](const GRUOptions& o) { return from_library(std::type_identity<GRU>(), o); };
  const auto lstm = [&](const LSTMOptions& o) { return from_library(std::type_identity<LSTM>(), o); };
  static const std::map<std::string, ReferenceOf> all{
      {"tanh-unit", rnn({.hidden = 3})},
      {"recurrent-product", rnn({.hidden = 3})},
      {"square-rnn", rnn({.hidden = 3})},
      {"minimal-rnn", rnn({.hidden = 3})},
      {"fused-sequence-rnn", rnn({.hidden = 3})},
      {"one-gemm-rnn", rnn({.hidden = 3})},
      {"long-sequence-rnn", rnn({.hidden = 3})},
      {"irnn", rnn({.hidden = 3, .activation = Activation::relu})},
      {"layer-norm-rnn", rnn({.hidden = 3, .layer_norm = true})},
      {"gru-mix", gru({.hidden = 3})},
      {"reset-before-gru", gru({.hidden = 3})},
      {"reset-after-gru", gru({.hidden = 3, .reset = Reset::after})},
      {"steady-gru", gru({.hidden = 3})},
      {"lstm-gates", lstm({.hidden = 3})},
      {"lstm-cell-update", lstm({.hidden = 3})},
      {"compact-lstm", lstm({.hidden = 3})},
      {"peephole-lstm", lstm({.hidden = 3, .peepholes = true})},
      {"four-gate-lstm", from_library(std::type_identity<textbook::LSTM>(), LSTMOptions{.hidden = 3})},
      {"lstm-1997", from_library(std::type_identity<LSTM1997>(), LSTM1997Options{.blocks = 3})},
      {"bidirectional-rnn", plain_bidirectional},
      {"concatenated-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         return tanh(matmul(concat({s.x, h}, 1), s("W")) + s("b"));
       }))},
      {"elman-readout", from_equations([](const PlainStep& s) {
         const Var h = tanh(s.sum_of(s.state[0]));
         return std::vector<Var>{matmul(h, s("W_y")) + s("b_y"), h};
       })},
      {"leaky-integrator", from_equations(hidden([](const PlainStep& s, Var h) {
         return h + sigmoid(s("leak")) * (tanh(s.sum_of(h)) - h);
       }))},
      {"multiplicative-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         return tanh(s.sum_of(matmul(s.x, s("W_m")) * matmul(h, s("U_m"))));
       }))},
      {"position-table-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         return tanh(s.sum_of(h) + select(s("E"), 0, s.t % 2));
       }))},
      {"memory-reader", from_equations(hidden([](const PlainStep& s, Var h) {
         const Var scores = exp(matmul(h, transpose(s("M"))));
         return tanh(s.sum_of(matmul(scores / sum(scores, {1}, true), s("M"))));
       }))},
      {"minimal-gated-unit", from_equations(hidden([](const PlainStep& s, Var h) {
         const std::vector<Var> W = split(s("W_x"), 1, 2), U = split(s("W_h"), 1, 2), b = split(s("b"), 0, 2);
         const Var f =
             minimum(relu((matmul(s.x, W[0]) + matmul(h, U[0]) + b[0] + 1) / 2), s.tape.scalar(1, DType::f64));
         return h + f * (tanh(matmul(s.x, W[1]) + matmul(f * h, U[1]) + b[1]) - h);
       }))},
      {"coupled-lstm", from_equations([](const PlainStep& s) {
         const std::vector<Var> k = split(s.sum_of(s.state[0]), 1, 3);
         const Var f = sigmoid(k[0]), c = f * s.state[1] + (1 - f) * tanh(k[1]), h = sigmoid(k[2]) * tanh(c);
         return std::vector<Var>{h, h, c};
       })},
      {"concatenated-lstm", from_equations([](const PlainStep& s) {
         return plain_lstm(matmul(concat({s.x, s.state[0]}, 1), s("W")) + s("b"), s.state[1]);
       })},
      {"independent-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         return relu(matmul(s.x, s("W_x")) + s("w") * h + s("b"));
       }))},
      {"clockwork-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         const Var m = mask_of(s.tape, {3}, [&](std::int64_t j) { return s.t % (1 << j) == 0; });
         return m * tanh(s.sum_of(h)) + (1 - m) * h;
       }))},
      {"padded-batch-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         const Var m = mask_of(s.tape, {h.shape()[0], 1},
                               [&](std::int64_t row) { return s.t <= std::max<std::int64_t>(1, s.T - row); });
         return m * tanh(s.sum_of(h)) + (1 - m) * h;
       }))},
      {"clipped-weights-rnn", from_equations(hidden([](const PlainStep& s, Var h) {
         return tanh(matmul(s.x, s("W_x")) + matmul(h, clip(s("W_h"), -0.5, 0.5)) + s("b"));
       }))},
      {"recurrent-dropout", from_equations(hidden([](const PlainStep& s, Var h) {
         Generator generator(5);
         return tanh(s.sum_of(dropout(h, 0.5, generator)));
       }))},
      {"noisy-rnn",  // in its first run
       [](const zoo::Specimen& specimen) {
         const auto generator = std::make_shared<Generator>(11);
         return plain(hidden([generator](const PlainStep& s, Var h) {
                        const Array noise = uniform(h.shape(), -0.1, 0.1, *generator, DType::f64);
                        return tanh(s.sum_of(h) + s.tape.constant(noise));
                      }),
                      specimen);
       }},
      {"square-root-rnn",
       from_equations(hidden([](const PlainStep& s, Var h) { return sqrt(relu(s.sum_of(h)) + 0.25) - 0.5; }))},
  };
  return all;
}

}  // namespace unroll::test
