#include <unroll/cli/commands.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/character_model.hpp>

namespace unroll::cli {

int run_sample(const SampleCommandOptions& o) {
  const CharacterModel model = load_character_model(o.model);
  std::u32string prompt;
  try {
    prompt = decode_utf8(o.prompt);
  } catch (const Utf8Error& e) { throw Error(fmt::format("the prompt is not UTF-8 text ({})", e.what())); }
  const std::string text =
      encode_utf8(sample(model, prompt, {.length = o.length, .temperature = o.temperature, .seed = o.seed}));
  if (o.json)
    print_json({{"prompt", o.prompt}, {"sample", text}});
  else
    fmt::print("{}{}\n", o.prompt, text);
  return done;
}

}  // namespace unroll::cli
