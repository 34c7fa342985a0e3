#pragma once

#include "layers_support.hpp"

#include <unroll/layers/packed.hpp>
#include <unroll/layers/state.hpp>

#include <functional>
#include <string>
#include <vector>

// What the tests of layers over sequences of different lengths share: a padded batch, and its solution found in any way, so that two can be
// compared.
namespace unroll::test {

// A padded batch (time, batch, input) with the adjoints of all outputs, 0 behind the ends, and of the last states.
struct Ragged {
  std::vector<std::int64_t> lengths;
  Array x, d_output;
  std::vector<Array> state, d_state;  // one for each part

  std::int64_t time() const { return x.shape()[0]; }
  std::int64_t batch() const { return x.shape()[1]; }
};

// The values and gradients that a way of unrolling gave. Gradients by parameters are in their order.
struct Unrolled {
  Array output;  // (time, batch, feature)
  std::vector<Array> state;
  Array d_x;
  std::vector<Array> d_initial, d_parameters;
};

// The first difference between two.
inline Comparison compare(const Unrolled& found, const Unrolled& expected, double absolute = 1e-12,
                          double relative = 1e-11) {
  FirstDifference first{absolute, relative};
  first.look_at("output", found.output, expected.output);
  first.look_at("gradient of x", found.d_x, expected.d_x);
  if (found.state.size() != expected.state.size() || found.d_parameters.size() != expected.d_parameters.size())
    return {"another number of states or parameters"};
  for (std::size_t i = 0; i < found.state.size(); ++i) {
    first.look_at("state " + std::to_string(i), found.state[i], expected.state[i]);
    first.look_at("gradient of initial state " + std::to_string(i), found.d_initial[i], expected.d_initial[i]);
  }
  for (std::size_t i = 0; i < found.d_parameters.size(); ++i)
    first.look_at("gradient of parameter " + std::to_string(i), found.d_parameters[i], expected.d_parameters[i]);
  return first.found;
}

inline void check_equal(const Unrolled& found, const Unrolled& expected) { CHECK(compare(found, expected)); }

// The elements of `from` whose axis-`axis` positions are start .. start + extent of it.
inline Array part(const Array& from, std::size_t axis, std::int64_t start, std::int64_t extent) {
  Tape tape;
  return slice(tape.constant(from), static_cast<std::int64_t>(axis), start, start + extent).value().copy();
}

// A layer, its parameters, and its first state: what all ways of unrolling need. `Cell` may be a lambda.
template <class Cell, class Zero> struct Subject {
  Cell cell;
  Zero zero_state;  // zero_state(tape, batch)
  std::vector<Parameter> parameters;
};
template <class Cell, class Zero> Subject(Cell, Zero, std::vector<Parameter>) -> Subject<Cell, Zero>;
template <class Layer> auto subject(const Layer& layer) {
  return Subject{layer, [layer](Tape& tape, std::int64_t batch) { return layer.zero_state(tape, batch); },
                 layer.parameters()};
}

template <class S>
Ragged random_ragged(const S& s, std::vector<std::int64_t> lengths, std::int64_t time, std::int64_t input,
                     std::int64_t output, Generator& generator) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  Ragged r{std::move(lengths),
           random_array({time, batch, input}, generator),
           Array({time, batch, output}, DType::f64),
           {},
           {}};
  for (std::int64_t t = 0; t < time; ++t)
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t j = 0; j < output; ++j)
        if (t < r.lengths[static_cast<std::size_t>(b)])
          r.d_output.set_flat(static_cast<std::size_t>((t * batch + b) * output + j), generator.normal());
  Tape tape;
  for (const Var& v : state_vars(s.zero_state(tape, batch))) {
    r.state.push_back(random_array(v.shape(), generator));
    r.d_state.push_back(random_array(v.shape(), generator));
  }
  return r;
}

// Unrolls all at once. `unroll(x, state)` gives {outputs of the steps, state}.
template <class S, class Unroll> Unrolled solve_together(const S& s, const Ragged& r, const Unroll& unroll) {
  Tape tape;
  const Var x = tape.input(r.x, "x");
  std::vector<Var> initial;
  for (const Array& array : r.state) initial.push_back(tape.input(array));
  const auto [outputs, last] = unroll(x, with_vars(s.zero_state(tape, r.batch()), initial));
  const std::vector<Var> parts = state_vars(last);
  const Var output = stack(outputs, 0);
  Var loss = sum(output * tape.constant(part(r.d_output, 0, 0, static_cast<std::int64_t>(outputs.size()))));
  REQUIRE(parts.size() == r.d_state.size());
  for (std::size_t i = 0; i < parts.size(); ++i) loss = loss + sum(parts[i] * tape.constant(r.d_state[i]));
  const Gradients gradients = backward(loss);

  Unrolled u{output.value().copy(), {}, gradients[x].copy(), {}, {}};
  for (const Var& v : parts) u.state.push_back(v.value().copy());
  for (const Var& v : initial) u.d_initial.push_back(gradients[v].copy());
  for (const Parameter& p : s.parameters) u.d_parameters.push_back(gradients[p].copy());
  return u;
}

// Copies `from` into `to` at position `start` of an axis, or adds it.
inline void put(Array& to, const Array& from, std::int64_t b, bool batch_first) {
  // (batch, ...) or (time, batch, ...): from has one row
  const std::int64_t batch = to.shape()[batch_first ? 0 : 1], time = batch_first ? 1 : from.shape()[0];
  const std::int64_t width = static_cast<std::int64_t>(from.size()) / time;
  for (std::int64_t t = 0; t < time; ++t)
    for (std::int64_t j = 0; j < width; ++j)
      to.set_flat(static_cast<std::size_t>((t * batch + b) * width + j),
                  from.flat(static_cast<std::size_t>(t * width + j)));
}

// Every sequence by itself, without padding, on a tape of its own.
template <class S> Unrolled solve_alone(const S& s, const Ragged& r, bool reverse = false) {
  Unrolled all{Array(r.d_output.shape(), DType::f64), {}, Array(r.x.shape(), DType::f64), {}, {}};
  for (const Array& array : r.state) {
    all.state.emplace_back(array.shape(), DType::f64);
    all.d_initial.emplace_back(array.shape(), DType::f64);
  }
  for (const Parameter& p : s.parameters) all.d_parameters.emplace_back(p.shape(), DType::f64);
  for (std::int64_t b = 0; b < r.batch(); ++b) {
    const std::int64_t length = r.lengths[static_cast<std::size_t>(b)];
    const auto own = [&](const Array& array) { return part(part(array, 0, 0, length), 1, b, 1); };
    Ragged one{{length}, own(r.x), own(r.d_output), {}, {}};
    for (const Array& array : r.state) one.state.push_back(part(array, 0, b, 1));
    for (const Array& array : r.d_state) one.d_state.push_back(part(array, 0, b, 1));
    const Unrolled found = solve_together(s, one, [&](Var x, auto state) {
      auto sequence = over_time(s.cell, x, state, {.reverse = reverse});
      return std::pair(sequence.outputs, sequence.state);
    });
    put(all.output, found.output, b, false);
    put(all.d_x, found.d_x, b, false);
    for (std::size_t i = 0; i < found.state.size(); ++i) {
      put(all.state[i], found.state[i], b, true);
      put(all.d_initial[i], found.d_initial[i], b, true);
    }
    for (std::size_t i = 0; i < found.d_parameters.size(); ++i)
      for (std::size_t k = 0; k < found.d_parameters[i].size(); ++k)
        all.d_parameters[i].set_flat(k, all.d_parameters[i].flat(k) + found.d_parameters[i].flat(k));
  }
  return all;
}

// The same batch with NaN and infinity behind the ends of the sequences.
inline Ragged with_garbage(Ragged r) {
  r.x = r.x.copy();
  const std::int64_t input = r.x.shape()[2];
  for (std::int64_t t = 0; t < r.time(); ++t)
    for (std::int64_t b = 0; b < r.batch(); ++b)
      for (std::int64_t j = 0; j < input; ++j)
        if (t >= r.lengths[static_cast<std::size_t>(b)])
          r.x.set_flat(static_cast<std::size_t>((t * r.batch() + b) * input + j), (t + j) % 2 ? INFINITY : NAN);
  return r;
}

// Checks that padding with lengths, padding with a mask, and packing give what each sequence gives by itself, in both directions.
template <class S> void check_ragged(const S& s, std::int64_t input, std::int64_t output, Generator& generator) {
  const Ragged r = random_ragged(s, {2, 5, 1, 5, 3}, 6, input, output, generator), padded = with_garbage(r);
  for (const bool reverse : {false, true}) {
    CAPTURE(reverse);
    const Unrolled expected = solve_alone(s, r, reverse);
    const auto with = [&](const OverTimeOptions& options) {
      return solve_together(s, padded, [&](Var x, auto state) {
        auto sequence = over_time(s.cell, x, state, options);
        return std::pair(sequence.outputs, sequence.state);
      });
    };
    {
      INFO("lengths");
      check_equal(with({.lengths = r.lengths, .reverse = reverse}), expected);
    }
    {
      INFO("mask");
      check_equal(with({.mask = length_mask(r.lengths, r.time()), .reverse = reverse}), expected);
    }
    INFO("packed");
    const Unrolled packed = solve_together(s, padded, [&](Var x, auto state) {
      auto result = over_time(s.cell, pack(x, r.lengths), state, {.reverse = reverse});
      std::vector<Var> outputs = unpack(result.outputs);
      outputs.push_back(x.tape().constant(Array(outputs[0].shape(), DType::f64)));  // the step that no sequence has
      return std::pair(outputs, result.state);
    });
    check_equal(packed, expected);
  }
}

}  // namespace unroll::test
