#include <unroll/core/grad/checkpoint.hpp>

#include <unroll/core/ops/ops.hpp>
#include <unroll/core/tape/op.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

namespace unroll {

namespace {

// What the tape keeps of a part.
struct Kept {
  Part part;
  std::size_t inputs;                 // the first so many operands of the node are the inputs of the part
  GeneratorStates generators;         // as they were before the part
  std::vector<std::size_t> position;  // of what the part gives, among the results that the node holds
};

// Each Var once, in the order of its first appearance, and where each one is found there.
std::vector<Var> distinct(const std::vector<Var>& vars, std::vector<std::size_t>* position = nullptr) {
  std::vector<Var> result;
  std::unordered_map<NodeId, std::size_t> found;
  for (const Var& v : vars) {
    const auto [entry, is_new] = found.emplace(v.id(), result.size());
    if (is_new) result.push_back(v);
    if (position) position->push_back(entry->second);
  }
  return result;
}

// While it lives, the part is recorded at the place of its node, as it was the first time, and the generators draw as they did then.
class AsTheFirstTime {
 public:
  AsTheFirstTime(Tape& tape, NodeId node, Kept& kept) : before_(tape), kept_(kept) {
    tape.place = tape[node].place;
    tape.origin = no_node;
    tape.lazy = false;
    for (auto& [generator, then] : kept_.generators) now_.push_back(std::exchange(*generator, then));
  }
  ~AsTheFirstTime() {
    for (std::size_t i = now_.size(); i-- > 0;) *kept_.generators[i].first = now_[i];  // one may be named twice
  }
  AsTheFirstTime(const AsTheFirstTime&) = delete;
  AsTheFirstTime& operator=(const AsTheFirstTime&) = delete;

 private:
  Elsewhere before_;
  Kept& kept_;
  std::vector<Generator> now_;
};

std::vector<Var> replay(Tape& tape, NodeId id) {
  auto& kept = *static_cast<Kept*>(tape.held(static_cast<std::size_t>(tape[id].attributes.ints[0])));
  std::vector<Var> inputs;
  for (NodeId input : tape.inputs(id).first(kept.inputs)) inputs.push_back(tape.var(input));
  const AsTheFirstTime now(tape, id, kept);
  const std::vector<Var> given = kept.part(inputs);
  if (given.size() != kept.position.size())
    throw GradientError(
        fmt::format("checkpoint: the part gave {} results when it was recorded again, and {} the first time  {}",
                    given.size(), kept.position.size(), tape.where(id)));
  std::vector<Var> results;  // the first of those that were one the first time
  for (std::size_t i = 0; i < given.size(); ++i)
    if (kept.position[i] == results.size()) results.push_back(given[i]);

  const ArrayView then = tape[id].value;
  const auto* expected = static_cast<const std::byte*>(then.data);
  std::size_t left = then.size() * size_of(then.dtype);
  bool same = true;
  for (const Var& result : results) {
    const Array value = result.value().copy();
    const std::size_t bytes = value.size() * size_of(value.dtype());
    same = value.dtype() == then.dtype && bytes <= left && std::memcmp(value.data(), expected, bytes) == 0;
    if (!same) break;
    expected += bytes;
    left -= bytes;
  }
  if (!same || left > 0)
    throw GradientError(
        fmt::format("checkpoint: the part gave other numbers when it was recorded again: it must depend on its inputs "
                    "only; generators "
                    "from which it draws are named in CheckpointOptions::generators  {}",
                    tape.where(id)));
  return results;
}

const Op checkpoint_op = {.name = "checkpoint", .arity = any_number, .replay = replay};

Var flat_part(Var packed, std::int64_t begin, const Shape& shape) {
  const auto n = static_cast<std::int64_t>(shape.size());
  return reshape(slice(packed, 0, begin, begin + n), shape);
}

}  // namespace

GeneratorStates states_of(const std::vector<Generator*>& generators) {
  GeneratorStates states;
  for (Generator* generator : generators) states.emplace_back(generator, *generator);
  return states;
}

ForgottenPart run_and_forget(Tape& tape, const std::function<std::vector<Var>()>& part) {
  struct Forget {
    Tape& tape;
    Tape::Mark mark = tape.mark();
    ~Forget() { tape.rollback(mark); }
  } const afterwards{tape};
  const auto first = static_cast<NodeId>(afterwards.mark.nodes);

  ForgottenPart result;
  const std::vector<Var> given = part();
  for (const Var& v : distinct(given, &result.position)) {
    if (&v.tape() != &tape) throw TapeError("checkpoint: the part gave a node of another tape");
    result.results.push_back(v.value().copy());
    result.names.push_back(tape.name(v.id()));
    result.places.push_back(v.node().place);
  }
  for (NodeId id = first; id < tape.size(); ++id) {
    if (const Parameter* parameter = tape[id].op == &parameter_op() ? tape.parameter(id) : nullptr)
      result.parameters.push_back(*parameter);
    for (NodeId input : tape.inputs(id))
      if (input < first) result.captured.push_back(tape.var(input));
  }
  for (const Var& v : given)
    if (v.id() < first) result.captured.push_back(v);
  result.captured = distinct(result.captured);
  return result;
}

std::vector<Var> record_checkpoint(Tape& tape, const Part& part, const std::vector<Var>& inputs,
                                   const ForgottenPart& forgotten, const GeneratorStates& generators) {
  if (forgotten.results.empty()) return {};
  const DType dtype = forgotten.results[0].dtype();
  std::size_t size = 0;
  for (const Array& result : forgotten.results) {
    if (result.dtype() != dtype)
      throw DTypeError(fmt::format("checkpoint: results in {} and in {}: they must have one dtype  {}",
                                   to_string(dtype), to_string(result.dtype()),
                                   tape.where(tape.place, static_cast<NodeId>(tape.size()))));
    size += result.size();
  }

  std::vector<NodeId> operands;
  for (const Var& input : inputs) operands.push_back(input.id());
  for (const Var& captured : forgotten.captured) operands.push_back(captured.id());
  for (const Parameter& parameter : forgotten.parameters) operands.push_back(tape.use(parameter).id());
  const bool tracked = std::any_of(operands.begin(), operands.end(), [&](NodeId id) { return tape[id].tracked; });

  auto* held = tape.arena().allocate_array<std::int64_t>(1);
  *held = static_cast<std::int64_t>(
      tape.hold(std::make_shared<Kept>(Kept{part, inputs.size(), generators, forgotten.position})));
  auto* value = static_cast<std::byte*>(tape.arena().allocate(size * size_of(dtype)));
  std::size_t at = 0;
  for (const Array& result : forgotten.results) {
    const std::size_t bytes = result.size() * size_of(dtype);
    if (bytes > 0) std::memcpy(value + at, result.data(), bytes);
    at += bytes;
  }
  Node& node = tape.append(checkpoint_op, operands);
  node.value = {dtype, Shape{static_cast<std::int64_t>(size)}, value};
  node.attributes = {{held, 1}, {}};
  node.tracked = tracked;

  const Var packed = tape.var(tape.last());
  const Elsewhere here(tape);
  std::vector<Var> unpacked;
  std::int64_t position = 0;
  for (std::size_t i = 0; i < forgotten.results.size(); ++i) {
    tape.place = forgotten.places[i];
    unpacked.push_back(flat_part(packed, position, forgotten.results[i].shape()));
    if (!forgotten.names[i].empty()) unpacked.back().named(forgotten.names[i]);
    position += static_cast<std::int64_t>(forgotten.results[i].size());
  }
  std::vector<Var> results;
  for (std::size_t i : forgotten.position) results.push_back(unpacked[i]);
  return results;
}

std::vector<Var> checkpoint(const Part& part, const std::vector<Var>& inputs, const CheckpointOptions& options) {
  if (inputs.empty()) throw TapeError("checkpoint: no inputs, so no tape to record on");
  Tape& tape = inputs[0].tape();
  for (const Var& input : inputs)
    if (&input.tape() != &tape) throw TapeError("checkpoint: inputs of several tapes");
  const GeneratorStates before = states_of(options.generators);
  const ForgottenPart forgotten = run_and_forget(tape, [&] { return part(inputs); });
  return record_checkpoint(tape, part, inputs, forgotten, before);
}

}  // namespace unroll
