#include "sequences_support.hpp"

#include <unroll/layers/stack.hpp>

#include <numeric>
#include <tuple>

// Sequences of different lengths side by side: masks, lengths, packing, and both directions of time.

namespace unroll::test {

namespace {

// A user's own cell: a lambda whose state is a tuple of parts of different ranks, one of them the running sum of what it saw.
auto own_cell(const Parameter& W, const Parameter& U) {
  return [W, U](Var x, const std::tuple<Var, Var>& state) {
    Tape& tape = x.tape();
    const auto [h, total] = state;
    const Var from_x = matmul(x, tape.use(W)), from_h = matmul(h, tape.use(U));
    const Var next = tanh(from_x + from_h).named("h");
    const Var seen = (total + sum(x, {1})).named("total");
    return std::pair{next * reshape(seen, {seen.shape()[0], 1}), std::tuple{next, seen}};
  };
}

auto own_subject(Generator& generator) {
  const Parameter W("mine.W", random_array({2, 3}, generator)), U("mine.U", random_array({3, 3}, generator));
  return Subject{own_cell(W, U),
                 [](Tape& tape, std::int64_t batch) {
                   return std::tuple{tape.constant(Array({batch, 3}, DType::f64), "h"),
                                     tape.constant(Array({batch}, DType::f64), "total")};
                 },
                 std::vector<Parameter>{W, U}};
}

Array ones(Shape shape) { return Array::filled(std::move(shape), 1, DType::f64); }

struct Refused {
  Generator generator{1};
  LSTM layer{{.input = 2, .hidden = 3, .dtype = DType::f64}, generator};
  Tape tape;
  Var x = tape.constant(Array({4, 3, 2}, DType::f64), "x");
  void with(const OverTimeOptions& options) { over_time(layer, x, options); }
};

}  // namespace

TEST_CASE("over time: with lengths, a mask or packing every sequence has the values and gradients of itself alone") {
  Generator generator(11);
  for_each_layer(2, 3, [&](const auto& packed, const auto& textbook, const std::string&) {
    check_ragged(subject(packed), 2, 3, generator);
    check_ragged(subject(textbook), 2, 3, generator);
  });
}

TEST_CASE("over time: a user's lambda with a state of its own has masks and packing as the layers have") {
  Generator generator(12);
  check_ragged(own_subject(generator), 2, 3, generator);
}

TEST_CASE("over time: masks and packing choose the rows of a state of rank 3") {
  Generator generator(13);
  const Parameter W("mine.W", random_array({2, 6}, generator));
  const auto cell = [W](Var x, Var h) {
    const Shape shape = h.shape();
    const Var seen = reshape(matmul(x, x.tape().use(W)), shape);
    const Var next = tanh(seen + 0.5 * h).named("h");
    return std::pair{reshape(next, {shape[0], 6}), next};
  };
  const auto zero = [](Tape& tape, std::int64_t batch) { return tape.constant(Array({batch, 3, 2}, DType::f64), "h"); };
  check_ragged(Subject{cell, zero, std::vector<Parameter>{W}}, 2, 6, generator);
}

TEST_CASE("over time: a mask with holes leaves steps out, as if they were not there") {
  Generator generator(13);
  const GRU layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Array x = random_array({4, 1, 2}, generator);
  Tape tape;
  const auto masked = over_time(layer, tape.constant(x), {.mask = Array({4, 1}, {1, 0, 1, 0})});
  const Var first = tape.constant(part(x, 0, 0, 1)), third = tape.constant(part(x, 0, 2, 1));
  const auto shorter = over_time(layer, concat({first, third}, 0));
  CHECK(same_bits(masked.outputs[0].value().copy(), shorter.outputs[0].value().copy()));
  CHECK(close(masked.outputs[1].value(), Array({1, 3}, DType::f64), 0, 0));
  CHECK(same_bits(masked.outputs[2].value().copy(), shorter.outputs[1].value().copy()));
  CHECK(same_bits(masked.state.h.value().copy(), shorter.state.h.value().copy()));
}

TEST_CASE("over time: reverse is the cell over the turned sequence, with the outputs in the order of time") {
  Generator generator(14);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Tape tape;
  const Var x = tape.constant(random_array({4, 2, 2}, generator));
  const std::vector<std::int64_t> turned{3, 2, 1, 0};
  const auto reverse = over_time(layer, x, {.reverse = true}), forward = over_time(layer, gather(x, turned));
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(same_bits(reverse.outputs[t].value(), forward.outputs[3 - t].value()));
    CHECK(reverse.outputs[t].node().place.step == static_cast<std::int32_t>(t + 1));
  }
  CHECK(same_bits(reverse.state.c.value(), forward.state.c.value()));
}

TEST_CASE("over time: steps at which every sequence runs are recorded as without a mask") {
  Generator generator(15);
  const LSTM layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  const Array x = random_array({3, 2, 2}, generator);
  const auto size = [&](const OverTimeOptions& options) {
    Tape tape;
    over_time(layer, tape.constant(x), options);
    return tape.size();
  };
  CHECK(size({.lengths = {3, 3}}) == size({}));
  CHECK(size({.mask = ones({3, 2})}) == size({}));
  CHECK(size({.lengths = {3, 2}}) > size({}));
}

TEST_CASE("over time: the mask may be float32 and the layer float64, and the caller may change it afterwards") {
  Generator generator(16);
  const RNN layer({.input = 2, .hidden = 3, .dtype = DType::f64}, generator);
  Array mask = Array({2, 2}, {1, 1, 1, 0}, DType::f32);
  Tape tape;
  const auto sequence = over_time(layer, tape.constant(random_array({2, 2, 2}, generator)), {.mask = mask});
  mask.set_flat(3, 1);
  CHECK(sequence.outputs[1].value().at({1, 2}) == 0);
  CHECK(sequence.outputs[1].value().at({0, 2}) != 0);
}

TEST_CASE(
    "over time: a packed sequence holds the running rows, the longest first, and unpacks to the order of the batch") {
  Tape tape;
  const Var x = tape.constant(Array({3, 3, 1}, {1, 2, 3, 10, 20, 30, 100, 200, 300}));
  const std::vector<std::int64_t> lengths{1, 3, 1};
  const PackedSequence packed = pack(x, lengths);
  CHECK(packed.order == std::vector<std::int64_t>{1, 0, 2});
  REQUIRE(packed.steps.size() == 3);
  CHECK(close(packed.steps[0].value(), Array({3, 1}, {2, 1, 3}), 0, 0));
  CHECK(close(packed.steps[1].value(), Array({1, 1}, {20}), 0, 0));
  CHECK(packed.steps[2].node().place.step == 3);
  CHECK(close(stack(unpack(packed)).value(), Array({3, 3, 1}, {1, 2, 3, 0, 20, 0, 0, 200, 0}), 0, 0));

  std::vector<std::int64_t> equal(100, 1), places(100);  // equal lengths keep their order
  std::iota(places.begin(), places.end(), 0);
  CHECK(pack(tape.constant(Array({1, 100, 1}, DType::f64)), equal).order == places);
}

TEST_CASE("over time: packing computes only the rows that run") {
  Generator generator(17);
  const RNN layer({.input = 1, .hidden = 2, .dtype = DType::f64}, generator);
  Tape tape;
  const std::vector<std::int64_t> lengths{1, 4, 2};
  const auto result = over_time(layer, pack(tape.constant(Array({4, 3, 1}, DType::f64)), lengths));
  std::vector<std::int64_t> rows;
  for (const Var& h : result.outputs.steps) rows.push_back(h.shape()[0]);
  CHECK(rows == std::vector<std::int64_t>{3, 2, 1, 1});
}

TEST_CASE("over time: lengths and masks that do not fit are refused, and the message says which") {
  Refused r;
  CHECK_THROWS_WITH_AS(r.with({.lengths = {4, 0, 1}}), "lengths: sequence 1 has length 0, expected 1 to 4 steps",
                       ShapeError);
  CHECK_THROWS_WITH_AS(r.with({.lengths = {4, 2, 5}}), "lengths: sequence 2 has length 5, expected 1 to 4 steps",
                       ShapeError);
  CHECK_THROWS_WITH_AS(r.with({.lengths = {4, 2}}), "over_time: 2 lengths were given for 3 sequences", ShapeError);
  CHECK_THROWS_WITH_AS(r.with({.mask = ones({3, 4})}),
                       "over_time: the mask has shape (3, 4), expected (time, batch) = (4, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(r.with({.mask = ones({4, 3, 1})}),
                       "over_time: the mask has shape (4, 3, 1), expected (time, batch) = (4, 3)", ShapeError);
  Array half = ones({4, 3});
  half.set_flat(7, 0.5);
  CHECK_THROWS_WITH_AS(r.with({.mask = half}), "over_time: the mask is 0.5 at step 3 of sequence 1, expected 0 or 1",
                       Error);
  half.set_flat(7, NAN);
  CHECK_THROWS_WITH_AS(r.with({.mask = half}), "over_time: the mask is nan at step 3 of sequence 1, expected 0 or 1",
                       Error);
  CHECK_THROWS_WITH_AS(r.with({.mask = ones({4, 3}), .lengths = {1, 1, 1}}),
                       "over_time: a mask and lengths were given, expected one of them", Error);
  const auto cell = [](Var x, Var h) { return std::pair{x, h}; };
  CHECK_THROWS_WITH_AS(over_time(cell, std::vector<Var>{}, r.x, {.lengths = {1}}),
                       "over_time: a mask or lengths were given, but no inputs (batch, ...)", ShapeError);
  CHECK_THROWS_WITH_AS(over_time(cell, r.x, r.tape.scalar(0, DType::f64).named("n"), {.lengths = {4, 4, 2}}),
                       doctest::Contains("over_time: with a mask, axis 0 of every state and output is the batch of 3, "
                                         "and n has shape ()"),
                       ShapeError);
  const auto growing = [](Var x, std::vector<Var> h) {
    h.push_back(x);
    return std::pair{x, h};
  };
  CHECK_THROWS_WITH_AS(over_time(growing, r.x, std::vector<Var>{}, {.lengths = {1, 4, 4}}),
                       doctest::Contains("state: 2 arrays were given for a state of 1"), ShapeError);
}

TEST_CASE("over time: what cannot be packed is refused") {
  Refused r;
  using Lengths = std::vector<std::int64_t>;
  CHECK_THROWS_WITH_AS(pack(r.x, Lengths{1, 0, 1}), "pack: sequence 1 has length 0, expected 1 to 4 steps", ShapeError);
  CHECK_THROWS_WITH_AS(pack(r.x, Lengths{5, 1, 1}), "pack: sequence 0 has length 5, expected 1 to 4 steps", ShapeError);
  CHECK_THROWS_WITH_AS(pack(r.x, Lengths{1, 1, 9}), "pack: sequence 2 has length 9, expected 1 to 4 steps", ShapeError);
  CHECK_THROWS_WITH_AS(pack(r.x, Lengths{1, 2}),
                       "pack: 2 lengths were given for inputs of shape (3, 2), expected (batch, feature) at each step "
                       "with a length for each sequence",
                       ShapeError);
  CHECK_THROWS_WITH_AS(pack(std::vector<Var>{}, Lengths{}), "pack: 0 lengths and 0 steps, expected some", ShapeError);
  CHECK_THROWS_WITH_AS(over_time(r.layer, PackedSequence{}),
                       "over_time: a packed sequence without steps: pack() makes one", ShapeError);
  const PackedSequence packed = pack(r.x, Lengths{4, 1, 2});
  CHECK_THROWS_WITH_AS(over_time(r.layer, packed, {.lengths = {1, 1, 1}}),
                       "over_time: a mask or lengths were given for packed sequences, which have their own lengths",
                       Error);
  const char* padded_only =
      "over_time: truncate or recompute was given for packed sequences: pad them instead, with lengths";
  CHECK_THROWS_WITH_AS(over_time(r.layer, packed, {.truncate = Truncation{1, 2}}), padded_only, Error);
  CHECK_THROWS_WITH_AS(over_time(r.layer, packed, {.recompute = Recompute::square_root()}), padded_only, Error);
  CHECK_THROWS_WITH_AS(
      over_time(r.layer, packed, r.layer.zero_state(r.tape, 2)),
      doctest::Contains("over_time: the state h has shape (2, 3), expected 3 rows, one for each packed "
                        "sequence"),
      ShapeError);
}

}  // namespace unroll::test
