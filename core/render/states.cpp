#include <unroll/core/render/states.hpp>

#include <set>

namespace unroll::drawing {

namespace {

std::uint64_t place_and_name(std::int32_t step, NameId name) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(step)) << 32 | name;
}

}  // namespace

Identity identity(const Tape& tape, const Program& program, NodeId id) {
  std::string name = program.name(id);
  const NodeId shown = program.shown(id);
  return {name.empty() ? program.expression(shown) : name, tape[shown].place.scope};
}

States::States(const Tape& tape, const Program& program, Phase phase)
    : tape_(tape), program_(program), phase_(phase), is_state_(tape.size()) {
  std::set<Identity> identities;
  std::set<std::string> initial;  // names of states before the first step
  for (NodeId id = 0; id < tape_.size(); ++id) {
    if (program_.kind(id) == Program::Kind::computed && phase_ == Phase::forward && tape_[id].name != 0)
      named_.insert(place_and_name(tape_[id].place.step, tape_[id].name));
    const std::int32_t step = program_.drawn_step(program_.shown(id));
    if (!is_computed(id) || step == no_step || program_.is_part_of_input(id)) continue;
    for (NodeId reader : program_.readers(id))
      if (program_.drawn_step(reader) != step && program_.drawn_step(reader) != no_step) {
        identities.insert(identity(tape_, program_, id));
        if (step == 0 && !program_.name(id).empty()) initial.insert(program_.name(id));
        break;
      }
  }
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (program_.kind(id) == Program::Kind::leaf && is_initial(id) && !program_.name(id).empty())
      initial.insert(program_.name(id));
  if (identities.empty() && initial.empty()) return;
  for (NodeId id = 0; id < tape_.size(); ++id)
    is_state_[id] = is_computed(id) && program_.drawn_step(id) != no_step && !program_.is_part_of_input(id) &&
                    (identities.contains(identity(tape_, program_, id)) ||
                     (program_.drawn_step(id) != 0 && initial.contains(program_.name(id))));
}

bool States::is_computed(NodeId id) const {
  return program_.kind(id) == Program::Kind::computed || program_.kind(id) == Program::Kind::cut;
}

bool States::is_initial(NodeId leaf) const {
  if (phase_ != Phase::forward || program_.readers(leaf).empty()) return false;
  if (tape_[leaf].place.step == 0) return true;
  if (tape_[leaf].place.step != no_step || tape_[leaf].name == 0) return false;
  for (NodeId reader : program_.readers(leaf))
    if (tape_[reader].place.step != no_step)
      return named_.contains(place_and_name(tape_[reader].place.step, tape_[leaf].name));
  return false;
}

}  // namespace unroll::drawing
