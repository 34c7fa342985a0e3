#include "property.hpp"
#include "recurrent_case.hpp"
#include "sequences_support.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

// The laws of derivatives, on recurrent layers of all kinds and sizes over sequences of all lengths; and what must not change when the same
// recurrence is computed in another way.

namespace unroll::test {

namespace {

void check_law(int cases, std::string (*law)(const Function&)) {
  check_property(cases, [law](const RecurrentCase& c) { return law(function_of(c, c.options())); });
}

Recompute draw_schedule() {
  const std::int64_t number = *rc::gen::inRange<std::int64_t>(1, 4).as("number");
  switch (*rc::gen::inRange(0, 3).as("schedule: square_root, every(number) or revolve(number)")) {
    case 0: return Recompute::square_root();
    case 1: return Recompute::every(number);
    default: return Recompute::revolve(number);
  }
}

Function recomputed(const RecurrentCase& c) {
  OverTimeOptions options = c.options();
  options.recompute = draw_schedule();
  return function_of(c, options);
}

void check_law_of_recomputed(int cases, std::string (*law)(const Function&)) {
  check_property(cases, [law](const RecurrentCase& c) { return law(recomputed(c)); });
}

// Entries in another order along an axis.
Array reordered(const Array& array, const std::vector<std::int64_t>& order, std::int64_t axis) {
  Tape tape;
  return gather(tape.constant(array), order, axis).value().copy();
}

// A shuffling of 0 .. n - 1.
std::vector<std::int64_t> shuffled(std::int64_t n, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  Generator generator(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[generator.below(i)]);
  return order;
}

// The same function with the sequences of the batch in another order, and the results put back.
Function with_batch_reordered(const RecurrentCase& c) {
  const std::vector<std::int64_t> order = shuffled(c.batch, c.seed), back = detail::inverse(order);
  OverTimeOptions options = c.options();
  if (options.mask) options.mask = reordered(*options.mask, order, 1);
  for (std::size_t b = 0; b < options.lengths.size(); ++b)
    options.lengths[b] = c.lengths()[static_cast<std::size_t>(order[b])];
  return function_by(c, [=](const auto& layer, Var x, auto state, std::vector<Var>&) {
    const auto there = [&](Var v) { return gather(v, order); };
    const auto again = [&](Var v) { return gather(v, back); };
    auto sequence = over_time(layer, gather(x, order, 1), map_state(state, there), options);
    std::transform(sequence.outputs.begin(), sequence.outputs.end(), sequence.outputs.begin(), again);
    sequence.state = map_state(sequence.state, again);
    return sequence;
  });
}

// The same function with time turned around twice: the inputs are turned, and the layer runs the other way.
Function with_time_turned(const RecurrentCase& c) {
  std::vector<std::int64_t> turned(static_cast<std::size_t>(c.time));
  std::iota(turned.rbegin(), turned.rend(), 0);
  OverTimeOptions options = c.options();
  options.reverse = !c.reverse;
  if (c.running == Running::lengths) options.mask = length_mask(options.lengths, c.time);
  options.lengths = {};
  if (options.mask) options.mask = reordered(*options.mask, turned, 0);
  return function_by(c, [=](const auto& layer, Var x, auto state, std::vector<Var>&) {
    auto sequence = over_time(layer, gather(x, turned), state, options);
    std::reverse(sequence.outputs.begin(), sequence.outputs.end());
    return sequence;
  });
}

// The function in two halves: the state between them, and the outputs before it, cut it.
Function in_two_parts(const RecurrentCase& c) {
  return function_by(c, [c](const auto& layer, Var x, auto state, std::vector<Var>& cut) {
    const std::int64_t middle = c.time / 2;
    auto sequence = over_time(layer, slice(x, 0, 0, middle), state);
    std::vector<Var> between = state_vars(sequence.state);
    between.insert(between.end(), sequence.outputs.begin(), sequence.outputs.end());
    for (const Var& value : between)  // the last output is a part of the state
      if (std::find(cut.begin(), cut.end(), value) == cut.end()) cut.push_back(value);
    auto rest = over_time(layer, slice(x, 0, middle, c.time), sequence.state);
    sequence.outputs.insert(sequence.outputs.end(), rest.outputs.begin(), rest.outputs.end());
    sequence.state = rest.state;
    return sequence;
  });
}

// The textbook form of a layer, and the letters of its gates.
std::pair<textbook::RNN, std::string> textbook_of(const RNN& layer) { return {textbook::RNN(layer), ""}; }
std::pair<textbook::LSTM, std::string> textbook_of(const LSTM& layer) { return {textbook::LSTM(layer), "ifgo"}; }
std::pair<textbook::GRU, std::string> textbook_of(const GRU& layer) { return {textbook::GRU(layer), "rzn"}; }

}  // namespace

TEST_CASE("property: for layers over time, forward mode is the transpose of reverse mode") {
  check_law(200, forward_is_transposed_reverse);
}

TEST_CASE("property: for layers over time, gradients are what central differences say") {
  check_law(200, gradient_is_central_difference);
}

TEST_CASE("property: for layers over time, a recorded backward pass gives the gradients of an unrecorded one") {
  check_law(200, recorded_is_unrecorded);
}

TEST_CASE("property: for layers over time, second derivatives are symmetric, in whatever order the modes are nested") {
  check_law(50, second_derivative_is_symmetric);
}

TEST_CASE("property: for layers over time, float32 gives what float64 gives, but for rounding") {
  check_law(200, float32_is_near_float64);
}

TEST_CASE("property: for layers over time, values and gradients have the same bits the second time") {
  check_law(200, same_bits_again);
}

TEST_CASE("property: for layers over time, gradients are linear in the adjoint") { check_law(200, reverse_is_linear); }

TEST_CASE("property: for layers over time, going back in two parts is going back at once") {
  check_property(200, [](const RecurrentCase& c) {
    RC_PRE(c.time >= 2);
    return chain_rule_holds_at_cut(in_two_parts(c));
  });
}

TEST_CASE("property: for layers over time, recomputation changes no digit of a value or gradient") {
  check_property(200, [](const RecurrentCase& c) { return equal_digits(recomputed(c), function_of(c, c.options())); });
}

TEST_CASE("property: for layers over time with recomputation, forward mode is the transpose of reverse mode") {
  check_law_of_recomputed(100, forward_is_transposed_reverse);
}

TEST_CASE("property: for layers over time with recomputation, a recorded backward pass gives the same gradients") {
  check_law_of_recomputed(100, recorded_is_unrecorded);
}

TEST_CASE("property: for layers over time, truncation beyond the whole sequence changes no digit") {
  check_property(200, [](const RecurrentCase& c) {
    OverTimeOptions options = c.options();
    options.truncate = Truncation{.k1 = *rc::gen::inRange<std::int64_t>(1, c.time + 1).as("k1"), .k2 = c.time};
    return equal_digits(function_of(c, options), function_of(c, c.options()));
  });
}

TEST_CASE("property: for layers over time, the order of the sequences in the batch does not matter") {
  check_property(200, [](const RecurrentCase& c) {
    return equal_functions(with_batch_reordered(c), function_of(c, c.options()));
  });
}

TEST_CASE("property: for layers over time, turned around twice is not turned around") {
  check_property(200,
                 [](const RecurrentCase& c) { return equal_digits(with_time_turned(c), function_of(c, c.options())); });
}

TEST_CASE("property: for layers over time, the gradients of a padded or packed batch are the sums over its sequences") {
  check_property(100, [](const RecurrentCase& c) {
    return with_layer(c, DType::f64, [&](const auto& layer) {
      Generator generator(c.seed);
      randomize(layer, generator);
      const auto s = subject(layer);
      Tape tape;
      const std::int64_t output = layer.zero_state(tape, 1).h.shape()[1];
      const Ragged r = random_ragged(s, c.lengths(), c.time, c.input, output, generator);
      const Unrolled alone = solve_alone(s, r, c.reverse),
                     together = solve_together(s, with_garbage(r), [&](Var x, auto state) {
                       auto sequence = over_time(s.cell, x, state, {.lengths = r.lengths, .reverse = c.reverse});
                       return std::pair(sequence.outputs, sequence.state);
                     });
      if (const Comparison same = compare(together, alone); !same) return "padded: " + same.message;
      const Unrolled packed = solve_together(s, with_garbage(r), [&](Var x, auto state) {
        auto result = over_time(s.cell, pack(x, r.lengths), state, {.reverse = c.reverse});
        std::vector<Var> outputs = unpack(result.outputs);
        while (static_cast<std::int64_t>(outputs.size()) < c.time)  // steps that no sequence has
          outputs.push_back(x.tape().constant(Array(outputs[0].shape(), DType::f64)));
        return std::pair(outputs, result.state);
      });
      if (const Comparison same = compare(packed, alone); !same) return "packed: " + same.message;
      return std::string();
    });
  });
}

TEST_CASE("property: for layers over time, the textbook form has the values and gradients of the packed form") {
  check_property(200, [](const RecurrentCase& c) {
    RC_PRE(static_cast<int>(c.kind) < textbook_kinds);
    return with_layer(c, DType::f64, [&](const auto& layer) {
      Generator generator(c.seed);
      randomize(layer, generator);
      const bool cell_state = c.kind == LayerKind::lstm || c.kind == LayerKind::peephole_lstm;
      const Problem problem = random_problem(c.time, c.batch, c.input, c.hidden, cell_state, generator);
      const auto [textbook, gates] = textbook_of(layer);
      return compare(solve(textbook, problem), solve(layer, problem), gates).message;
    });
  });
}

}  // namespace unroll::test
