#include <unroll/cli/commands.hpp>
#include <unroll/cli/model_text.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/character_model.hpp>

namespace unroll::cli {

int run_sample(const SampleCommandOptions& o) {
  const CharacterModel model = load_character_model(o.model);
  const std::u32string prompt = argument_text("the prompt", o.prompt);
  const std::string text =
      encode_utf8(sample(model, prompt, {.length = o.length, .temperature = o.temperature, .seed = o.seed}));
  if (o.json)
    print_json({{"prompt", o.prompt}, {"sample", text}});
  else
    fmt::print("{}{}\n", o.prompt, text);
  return done;
}

}  // namespace unroll::cli
