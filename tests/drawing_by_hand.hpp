#pragma once

#include <unroll/core/render/drawing.hpp>
#include <unroll/core/tape/tape.hpp>

namespace unroll::test {

// A drawing with everything in it that a drawing can have, made of all forward nodes of a tape without any art: one block for each step and one for what is outside of
// time, the nodes in rows, edges straight, a frame around each step and around each of its scopes. The blocks of steps with equally many nodes and edges are of one shape. In no
// block: a box "gap" behind the others, with an edge to it.
drawing::Drawing drawing_by_hand(const Tape& tape);

}  // namespace unroll::test
