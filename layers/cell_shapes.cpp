#include <unroll/layers/cell_shapes.hpp>

#include <fmt/format.h>

namespace unroll {

void require_cell_shapes(std::string_view layer, Var x, std::int64_t input, std::initializer_list<StatePart> state,
                         std::int64_t hidden) {
  const Tape& tape = x.tape();
  const auto here = [&] { return tape.where(tape.place, static_cast<NodeId>(tape.size())); };
  const Shape shape = x.shape();
  if (shape.rank() != 2 || shape[1] != input)
    throw ShapeError(
        fmt::format("{}: the input x has shape {}, expected (batch, {})  {}", layer, to_string(shape), input, here()));
  for (const StatePart& part : state) {
    if (part.value.empty())
      throw TapeError(fmt::format("{}: the state {} is an empty Var: give it a value, or take zero_state  {}", layer,
                                  part.letter, here()));
    const Shape found = part.value.shape();
    if (found.rank() != 2 || found[0] != shape[0] || found[1] != hidden)
      throw ShapeError(fmt::format("{}: the state {} has shape {}, expected ({}, {})  {}", layer, part.letter,
                                   to_string(found), shape[0], hidden, here()));
  }
}

}  // namespace unroll
