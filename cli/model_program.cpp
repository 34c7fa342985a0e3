#include <unroll/cli/model_program.hpp>

#include <unroll/cli/model_text.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/core/tape/op.hpp>
#include <unroll/layers/character_model.hpp>

#include <fmt/format.h>

namespace unroll::cli {

namespace {

std::string readable(char32_t character) {
  if (character == U'\n') return "'\\n'";
  if (character == U'\t') return "'\\t'";
  if (character == U' ' || visible(character)) return fmt::format("'{}'", encode_utf8({&character, 1}));
  return fmt::format("'U+{:04X}'", static_cast<std::uint32_t>(character));
}

// The model calls what it reads x, at every step.
void name_inputs(Tape& tape, const Vocabulary& vocabulary, const TextWindow& window) {
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape[id].op->name != "gather" || tape.name(id) != "x") continue;
    const std::int64_t symbol = window.inputs_at(tape[id].place.step - 1)[0];
    tape.var(id).named(readable(vocabulary.character(symbol)));
  }
}

}  // namespace

Program record_model_program(const ProgramOptions& o) {
  const CharacterModel model = load_character_model(o.model);
  const TextWindow window = one_window(model.vocabulary, argument_text("the text", o.text));
  auto tape = std::make_unique<Tape>();
  CharacterModel::CarriedState state = model.zero_state(1);
  const Var loss = model.loss(*tape, window, state).named("L");
  tape->var(tape->inputs(loss.id())[0]).named("y");
  name_inputs(*tape, model.vocabulary, window);
  return {std::move(tape), loss};
}

}  // namespace unroll::cli
