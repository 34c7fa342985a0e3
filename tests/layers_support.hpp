#pragma once

#include "support.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/textbook.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

// What the tests of layers share: one problem over time, its solution with all gradients, and the comparison of two
// solutions.
namespace unroll::test {

inline Array random_array(Shape shape, Generator& generator) {
  return normal(std::move(shape), 1, generator, DType::f64);
}

// New random elements for every parameter (biases too, which start at zero).
inline void randomize(const Module& layer, Generator& generator) {
  for (Parameter p : layer.parameters()) p.assign(normal(p.shape(), 0.7, generator, DType::f64));
}

// A sequence, the state before it, and the adjoints of all outputs and of the last state. c0 and d_c are empty where
// there is no cell state.
struct Problem {
  Array x, h0, c0;
  Array d_output, d_h, d_c;
};

inline Problem random_problem(std::int64_t time, std::int64_t batch, std::int64_t input, std::int64_t hidden,
                              bool cell_state, Generator& generator) {
  Problem p{random_array({time, batch, input}, generator),  random_array({batch, hidden}, generator), {},
            random_array({time, batch, hidden}, generator), random_array({batch, hidden}, generator), {}};
  if (cell_state) {
    p.c0 = random_array({batch, hidden}, generator);
    p.d_c = random_array({batch, hidden}, generator);
  }
  return p;
}

// All outputs, the last state, and the gradients by name: "x", "h0", "c0", and the parameters without their layer.
struct Solution {
  Array output, h, c;
  std::map<std::string, Array> gradients;
};

inline HiddenState initial_state(Tape& tape, const Problem& p, HiddenState) { return {tape.input(p.h0, "h")}; }
inline LSTMState initial_state(Tape& tape, const Problem& p, LSTMState) {
  return {tape.input(p.h0, "h"), tape.input(p.c0, "c")};
}
inline Var cell_of(const HiddenState&) { return {}; }
inline Var cell_of(const LSTMState& state) { return state.c; }

inline std::string short_name(const Parameter& p) { return p.name().substr(p.name().find('.') + 1); }

template <class Layer> Solution solve(const Layer& layer, const Problem& p) {
  Tape tape;
  const Var x = tape.input(p.x);
  const auto before = initial_state(tape, p, typename Layer::State{});
  const auto sequence = over_time(layer, x, before);
  const Var output = sequence.stacked(), h = sequence.state.h, c = cell_of(sequence.state);
  Var loss = sum(output * tape.constant(p.d_output)) + sum(h * tape.constant(p.d_h));
  if (!c.empty()) loss = loss + sum(c * tape.constant(p.d_c));
  const Gradients gradients = backward(loss);

  Solution s{output.value().copy(), h.value().copy(), {}, {}};
  s.gradients["x"] = gradients[x].copy();
  s.gradients["h0"] = gradients[before.h].copy();
  if (!c.empty()) {
    s.c = c.value().copy();
    s.gradients["c0"] = gradients[cell_of(before)].copy();
  }
  for (const Parameter& parameter : layer.parameters())
    s.gradients[short_name(parameter)] = gradients[parameter].copy();
  return s;
}

// The columns from .. to of a matrix, or the elements of a vector.
inline Array columns(const Array& array, std::int64_t from, std::int64_t to) {
  const std::int64_t width = array.shape()[array.rank() - 1], rows = static_cast<std::int64_t>(array.size()) / width;
  Array result(array.rank() == 2 ? Shape{rows, to - from} : Shape{to - from}, array.dtype());
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = from; j < to; ++j)
      result.set_flat(static_cast<std::size_t>(i * (to - from) + j - from),
                      array.flat(static_cast<std::size_t>(i * width + j)));
  return result;
}

// The entry of a packed solution that belongs to a parameter of either form: "W_f" is the block of gate f in "W_x",
// "U_f" that in "W_h", "b_f" in "b" and "b_hf" in "b_h". `gates` are the letters of the blocks in order.
inline Array packed_entry(const std::map<std::string, Array>& packed, const std::string& name,
                          const std::string& gates) {
  if (const auto found = packed.find(name); found != packed.end()) return found->second;
  const std::map<std::string, std::string> homes{{"W_", "W_x"}, {"U_", "W_h"}, {"b_", "b"}, {"b_h", "b_h"}};
  const Array& home = packed.at(homes.at(name.substr(0, name.size() - 1)));
  const auto count = static_cast<std::int64_t>(gates.size()), k = static_cast<std::int64_t>(gates.find(name.back()));
  const std::int64_t width = home.shape()[home.rank() - 1] / count;
  return columns(home, k * width, (k + 1) * width);
}

// The first pair of several whose arrays differ.
struct FirstDifference {
  double absolute, relative;
  Comparison found = {};

  void look_at(const std::string& what, const Array& a, const Array& b) {
    if (!found) return;
    if (const Comparison one = close(a, b, absolute, relative); !one) found.message = what + ": " + one.message;
  }
};

// The first difference in values and gradients. `expected` is that of the packed form; `found` that of either.
inline Comparison compare(const Solution& found, const Solution& expected, const std::string& gates,
                          double absolute = 1e-12, double relative = 1e-11) {
  FirstDifference first{absolute, relative};
  first.look_at("output", found.output, expected.output);
  first.look_at("h", found.h, expected.h);
  first.look_at("c", found.c, expected.c);
  if (found.gradients.size() < expected.gradients.size()) return {"too few gradients"};
  for (const auto& [name, gradient] : found.gradients)
    first.look_at("gradient of " + name, gradient, packed_entry(expected.gradients, name, gates));
  return first.found;
}

inline void check_equal(const Solution& found, const Solution& expected, const std::string& gates,
                        double absolute = 1e-12, double relative = 1e-11) {
  CHECK(compare(found, expected, gates, absolute, relative));
}

// Calls body(packed, textbook, gates) with every kind of recurrent layer in float64, in both forms with equal random
// weights.
template <class Body> void for_each_layer(std::int64_t input, std::int64_t hidden, Body&& body) {
  Generator generator(7);
  const auto visit = [&](const std::string& kind, const auto& packed, auto textbook_of, const std::string& gates) {
    INFO("layer ", kind);
    randomize(packed, generator);
    body(packed, textbook_of(packed), gates);
  };
  const auto rnn = [](const RNN& layer) { return textbook::RNN(layer); };
  const auto lstm = [](const LSTM& layer) { return textbook::LSTM(layer); };
  const auto gru = [](const GRU& layer) { return textbook::GRU(layer); };
  for (const bool is_relu : {false, true})
    visit(is_relu ? "relu RNN" : "tanh RNN",
          RNN({.input = input,
               .hidden = hidden,
               .activation = is_relu ? Activation::relu : Activation::tanh,
               .dtype = DType::f64},
              generator),
          rnn, "");
  for (const bool peepholes : {false, true})
    visit(peepholes ? "LSTM with peepholes" : "LSTM",
          LSTM({.input = input, .hidden = hidden, .peepholes = peepholes, .dtype = DType::f64}, generator), lstm,
          "ifgo");
  for (const bool after : {false, true})
    visit(after ? "GRU, reset after" : "GRU, reset before",
          GRU({.input = input, .hidden = hidden, .reset = after ? Reset::after : Reset::before, .dtype = DType::f64},
              generator),
          gru, "rzn");
}

// The nodes of the forward pass with this name at this step.
inline std::vector<NodeId> nodes_named(const Tape& tape, const std::string& name, std::int32_t step) {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.name(id) == name && tape[id].place.step == step && tape[id].place.phase == Phase::forward)
      found.push_back(id);
  return found;
}

}  // namespace unroll::test
