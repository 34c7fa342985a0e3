#include <unroll/cli/model_text.hpp>

#include <unroll/core/array/utf8.hpp>

#include <fmt/format.h>

namespace unroll::cli {

std::u32string argument_text(std::string_view what, const std::string& argument) {
  try {
    return decode_utf8(argument);
  } catch (const Utf8Error& e) { throw Error(fmt::format("{} is not UTF-8 text ({})", what, e.what())); }
}

TextWindow one_window(const Vocabulary& vocabulary, std::u32string_view text) {
  if (text.size() < 2)
    throw Error(fmt::format("the text has {}: at least 2 are needed, for the last one is only predicted",
                            text.empty() ? "no characters" : "one character"));
  return TextStreams(vocabulary.encode(text), 1, static_cast<std::int64_t>(text.size()) - 1).window(0);
}

}  // namespace unroll::cli
