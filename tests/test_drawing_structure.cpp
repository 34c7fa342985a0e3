#include "drawing_laws.hpp"
#include "drawn_networks.hpp"

#include <unroll/core/grad/backward.hpp>
#include <unroll/core/render/compose.hpp>
#include <unroll/core/render/render.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

// The laws of drawings (drawing_laws.hpp) on every cell and form, at every level and with everything that can be asked for.

namespace unroll::test {

namespace {

using drawing::compose;
using drawing::Drawing;

constexpr Level levels[] = {Level::ops, Level::gates, Level::cells, Level::folded};
std::string name_of(Level level) {
  constexpr const char* names[] = {"ops", "gates", "cells", "folded"};
  return names[static_cast<int>(level)];
}

// UNROLL_DRAWN chooses networks by a part of their names.
std::vector<DrawnNetwork> chosen() {
  const char* part = std::getenv("UNROLL_DRAWN");
  std::vector<DrawnNetwork> result;
  for (const DrawnNetwork& network : drawn_networks())
    if (!part || network.name.find(part) != std::string::npos) result.push_back(network);
  return result;
}

void check_laws(const Drawing& drawing) {
  REQUIRE_FALSE(drawing.nodes.empty());
  for (const DrawingLaw& law : drawing_laws()) {
    CAPTURE(law.name);
    CHECK(law.broken_by(drawing));
  }
}

}  // namespace

TEST_CASE("drawing: the laws hold for every network at every level") {
  for (const DrawnNetwork& network : chosen())
    for (const std::int64_t steps : {1, 2, 3, 10}) {
      Tape tape;
      network.record(tape, steps);
      for (const Level level : levels) {
        if (steps == 3 && level != Level::ops) continue;  // two and ten have all that three have
        INFO(network.name, ", ", steps, " steps, level ", name_of(level));
        const Drawing drawing = compose(tape, {.level = level});
        check_laws(drawing);
        CHECK(incomplete(drawing, tape, level == Level::ops, level != Level::folded));
        if (network.has_cell_state && level <= Level::gates)
          CHECK(bent_cell_state(drawing, tape, static_cast<std::int32_t>(steps)));
      }
    }
}

TEST_CASE("drawing: the laws hold with gradients, with steps left out and with parameters as boxes") {
  for (const DrawnNetwork& network : chosen()) {
    Tape tape;
    const Var loss = network.record(tape, 6);
    const Gradients gradients = backward(loss, {.keep = Keep::all, .flows = true});
    for (const Level level : {Level::ops, Level::gates, Level::cells}) {
      INFO(network.name, ", level ", name_of(level));
      if (level != Level::cells) {
        INFO("gradients");
        check_laws(compose(tape, {.level = level, .gradients = &gradients}));
      }
      {
        INFO("collapse");
        const Drawing drawing = compose(tape, {.level = level, .collapse = 2, .gradients = &gradients});
        check_laws(drawing);
        CHECK(incomplete(drawing, tape, level == Level::ops, false));
      }
      if (level != Level::gates) {
        INFO("parameters");
        const Drawing drawing = compose(tape, {.level = level, .collapse = 1, .parameters = ParameterView::nodes});
        check_laws(drawing);
      }
    }
  }
}

TEST_CASE("drawing: the laws hold with the backward pass below") {
  for (const DrawnNetwork& network : chosen())
    for (const std::int64_t steps : {3}) {
      Tape tape;
      backward(network.record(tape, steps), {.create_graph = true});
      for (const Level level : {Level::ops, Level::gates}) {
        // the engine takes long for backward passes: whole gates are drawn where there is one layer
        if (level == Level::gates && network.name.find("layers") != std::string::npos) continue;
        INFO(network.name, ", ", steps, " steps, level ", name_of(level));
        check_laws(compose(tape, {.level = level, .backward = BackwardView::below}));
      }
    }
}

TEST_CASE("drawing: the laws hold for a hundred steps") {
  for (const char* name : {"textbook LSTM", "GRU, reset after", "lstm, bidirectional, 2", "losses of single steps"}) {
    CAPTURE(name);
    Tape tape;
    drawn_network(name).record(tape, 100);
    const Drawing drawing = compose(tape, {.budget = 0});
    check_laws(drawing);
    CHECK(incomplete(drawing, tape, true, true));
    check_laws(compose(tape, {.collapse = 2}));
  }
}

}  // namespace unroll::test
