#include <unroll/layers/truncated.hpp>

#include <fmt/format.h>

namespace unroll::detail {

void require_truncation(const Truncation& t) {
  if (t.k1 < 1 || t.k2 < 1)
    throw ShapeError(fmt::format(
        "over_time: a truncation with k1 = {}, k2 = {}: both are numbers of time steps, at least 1", t.k1, t.k2));
  if (t.k2 < t.k1)
    throw ShapeError(fmt::format(
        "over_time: a truncation with k1 = {}, k2 = {}: k2 is below k1, so that some losses would reach no step at all",
        t.k1, t.k2));
}

Var cut(Var part) {
  Tape& tape = part.tape();
  const Elsewhere before(tape);
  tape.place = part.node().place;
  const Scope scope(tape, "cut");
  const Var result = unroll::detach(part);
  const std::string& name = tape.name(part.id());
  return name.empty() ? result : result.named(name);
}

}  // namespace unroll::detail
