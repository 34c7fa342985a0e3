#include "support.hpp"

#include <unroll/layers/lstm.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/state.hpp>

#include <doctest/doctest.h>

using namespace unroll;

namespace {

struct Mine {
  Var memory;
  std::pair<Var, LSTMState> inner;
  std::vector<Var> more;
};

}  // namespace

TEST_CASE("state: the Vars of a state of any form are found in the order of their declaration") {
  Tape tape;
  std::vector<Var> v;
  for (int i = 0; i < 6; ++i) v.push_back(tape.constant(Array::filled({1}, i)));
  const Mine mine{v[0], {v[1], {v[2], v[3]}}, {v[4], v[5]}};
  CHECK(state_vars(mine) == v);
  CHECK(state_vars(v[2]) == std::vector<Var>{v[2]});
  CHECK(state_vars(HiddenState{v[1]}) == std::vector<Var>{v[1]});
  const RecurrentStack::State stack{{v[0], {}}, {v[1], v[2]}};  // an empty c is no part
  CHECK(state_vars(stack) == std::vector<Var>{v[0], v[1], v[2]});
}

TEST_CASE("state: detach keeps numbers, names and form, and ends the gradient") {
  Tape tape;
  const Var h = tape.input(Array({2}, {1, 2}), "h"), c = tape.input(Array({2}, {3, 4}), "c");
  const LSTMState cut = detach(LSTMState{square(h).named("h"), c});
  CHECK(cut.h.value().at({1}) == 4);
  CHECK(tape.name(cut.h.id()) == "h");
  CHECK_FALSE(cut.h.node().tracked);
  CHECK_FALSE(cut.c.node().tracked);
}

TEST_CASE("state: a carried state survives its tape and goes on as constants of the same form") {
  CarriedState arrays;
  {
    Tape tape;
    arrays = carried(LSTMState{tape.input(Array({2}, {1, 2}), "h"), tape.input(Array({2}, {3, 4}), "c")});
  }
  Tape tape;
  const LSTMState form{tape.constant(Array({2}, DType::f64), "h"), tape.constant(Array({2}, DType::f64), "c")};
  const LSTMState state = resumed(form, arrays);
  CHECK(state.c.value().at({1}) == 4);
  CHECK(tape.name(state.c.id()) == "c");
  CHECK(state.c.node().place.step == 0);
  CHECK_THROWS_WITH_AS(resumed(form, {arrays[0]}), "state: 1 arrays were given for a state of 2", ShapeError);
  const Array wrong({3}, DType::f64);
  CHECK_THROWS_WITH_AS(resumed(form, {arrays[0], wrong}),
                       "state: c has shape (3) in float64, expected (2) in float64  [node 1]", ShapeError);
}
