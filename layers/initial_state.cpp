#include <unroll/layers/initial_state.hpp>

#include <fmt/format.h>

namespace unroll::detail {

Array row_like(const Var& part) {
  const Shape shape = part.shape();
  if (shape.rank() == 0)
    throw ShapeError(fmt::format("InitialState: the state {} has shape (), expected the batch as its first axis",
                                 part.tape().name(part.id())));
  return Array(shape.with(0, 1), part.dtype());
}

Var rows_of(Tape& tape, const Parameter& row, std::int64_t batch, const std::string& name) {
  const Step step(tape, 0);
  return broadcast_to(tape.use(row), row.shape().with(0, batch)).named(name);
}

}  // namespace unroll::detail
