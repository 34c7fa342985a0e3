#include <unroll/core/grad/cuts.hpp>

#include <unroll/core/tape/op.hpp>

namespace unroll {

bool is_cut(const Tape& tape, NodeId id) {
  if (tape[id].op->name != "detach" || tape[id].place.phase != Phase::forward) return false;
  const Node& input = tape[tape.inputs(id)[0]];
  return input.tracked && input.place.step != no_step;
}

std::vector<Cut> cuts(const Tape& tape) {
  std::vector<Cut> found;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (!is_cut(tape, id)) continue;
    const NodeId of = tape.inputs(id)[0];
    const Place& place = tape[of].place;
    found.push_back({id, of, place.step, tape.path(place.scope), tape.name(of)});
  }
  return found;
}

}  // namespace unroll
