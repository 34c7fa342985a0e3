#pragma once

#include <unroll/core/render/program.hpp>
#include <unroll/core/render/scene.hpp>
#include <unroll/core/render/units.hpp>
#include <unroll/core/render/words.hpp>

#include <vector>

namespace unroll::drawing {

// Where the box of each unit stands; nowhere for what has none.
struct Boxes {
  std::vector<int> block, item;
};

// What is connected in a scene whose boxes are there, and how: links inside of blocks, motorways, rails and the ports at their ends.
void connect(const Tape& tape, const Program& program, const Units& units, const Words& words, const Boxes& boxes,
             Scene& scene);

}  // namespace unroll::drawing
