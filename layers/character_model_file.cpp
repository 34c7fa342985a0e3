#include <unroll/core/array/safetensors.hpp>
#include <unroll/core/array/utf8.hpp>
#include <unroll/layers/character_model.hpp>

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace unroll {

namespace {

// Changes when older programs could not read a newer file.
constexpr const char* format = "unroll-character-model-1";

// Reads the notes of one file and knows its name for messages.
class Notes {
 public:
  Notes(const SafeTensors& contents, std::string file) : contents_(contents), file_(std::move(file)) {
    if (!contents.metadata.contains("format"))
      fail("a safetensors file, but no character model of unroll: `unroll train --text FILE --save MODEL` makes one");
    if (text("format") != format)
      fail(fmt::format("its format is \"{}\", and this version of unroll reads \"{}\"", text("format"), format));
  }

  [[noreturn]] void fail(const std::string& why) const { throw FileError(fmt::format("{}: {}", file_, why)); }

  const std::string& text(const char* key) const {
    const auto found = contents_.metadata.find(key);
    if (found == contents_.metadata.end()) fail(fmt::format("damaged: \"{}\" is missing in the metadata", key));
    return found->second;
  }

  // At least 1, and no larger than the file can justify, so that a damaged number does not ask for all memory there is.
  std::int64_t number(const char* key, std::size_t largest) const {
    const std::string& digits = text(key);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 1 ||
        value > static_cast<std::int64_t>(largest))
      fail(fmt::format("damaged: \"{}\" is \"{}\" in the metadata, which does not fit the tensors", key, digits));
    return value;
  }

  CellKind cell() const {
    const auto kind = cell_kind(text("cell"));
    if (!kind) fail(fmt::format("the cell is \"{}\", and this version knows rnn, lstm and gru", text("cell")));
    return *kind;
  }

  Reset reset() const {
    if (text("reset") != "before" && text("reset") != "after")
      fail(fmt::format("damaged: \"reset\" is \"{}\", expected before or after", text("reset")));
    return text("reset") == "before" ? Reset::before : Reset::after;
  }

  Vocabulary vocabulary() const {
    const std::u32string characters = decode_utf8(text("vocabulary"));  // JSON has checked it
    const Vocabulary vocabulary(characters);
    if (characters.empty() || vocabulary.characters() != characters)
      fail("damaged: the characters of the vocabulary are not in order, each once");
    return vocabulary;
  }

 private:
  const SafeTensors& contents_;
  std::string file_;
};

}  // namespace

void save(const std::filesystem::path& file, const CharacterModel& model) {
  const CharacterModelOptions& o = model.options;
  SafeTensors contents;
  contents.metadata = {{"format", format},
                       {"cell", to_string(o.cell)},
                       {"embedding", std::to_string(o.embedding)},
                       {"hidden", std::to_string(o.hidden)},
                       {"layers", std::to_string(o.layers)},
                       {"reset", o.reset == Reset::before ? "before" : "after"},
                       {"vocabulary", encode_utf8(model.vocabulary.characters())}};
  for (const Parameter& p : model.parameters()) contents.arrays.push_back({p.name(), p.value()});
  save_safetensors(file, contents);
}

CharacterModel load_character_model(const std::filesystem::path& file) {
  const SafeTensors contents = load_safetensors(file);
  const Notes notes(contents, file.string());
  std::size_t elements = 0;
  for (const auto& [name, array] : contents.arrays) elements += array.size();

  CharacterModelOptions options;
  options.cell = notes.cell();
  options.reset = notes.reset();
  options.layers = notes.number("layers", contents.arrays.size());
  const Vocabulary vocabulary = notes.vocabulary();
  options.embedding = notes.number("embedding", elements / static_cast<std::size_t>(vocabulary.size()));
  options.hidden = notes.number("hidden", static_cast<std::size_t>(std::sqrt(static_cast<double>(elements))));
  Generator generator(0);  // what it draws is overwritten
  CharacterModel model(options, vocabulary, generator);

  for (Parameter p : model.parameters()) {
    const Array* array = contents.find(p.name());
    if (!array) notes.fail(fmt::format("damaged: the tensor {} is missing", p.name()));
    if (array->shape() != p.shape())
      notes.fail(fmt::format("damaged: the tensor {} has shape {}, expected {}", p.name(), to_string(array->shape()),
                             to_string(p.shape())));
    if (array->dtype() != p.dtype())
      notes.fail(fmt::format("damaged: the tensor {} is {}, expected {}", p.name(), to_string(array->dtype()),
                             to_string(p.dtype())));
    for (float x : array->span<float>())
      if (!std::isfinite(x)) notes.fail(fmt::format("the tensor {} holds {}, which is no weight", p.name(), x));
    p.assign(*array);
  }
  if (contents.arrays.size() != model.parameters().size())
    notes.fail(
        fmt::format("damaged: it has {} tensors, expected {}", contents.arrays.size(), model.parameters().size()));
  return model;
}

}  // namespace unroll
