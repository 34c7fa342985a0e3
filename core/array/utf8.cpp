#include <unroll/core/array/utf8.hpp>

#include <iterator>

#include <utf8.h>

#include <fmt/format.h>

namespace unroll {

Utf8Error::Utf8Error(std::size_t p) : Error(fmt::format("byte {} is not UTF-8", p)), position(p) {}

std::u32string decode_utf8(std::string_view text) {
  const auto wrong = utf8::find_invalid(text.begin(), text.end());
  if (wrong != text.end()) throw Utf8Error(static_cast<std::size_t>(wrong - text.begin()));
  std::u32string characters;
  utf8::utf8to32(text.begin(), text.end(), std::back_inserter(characters));
  return characters;
}

std::string encode_utf8(std::u32string_view characters) {
  std::string text;
  utf8::utf32to8(characters.begin(), characters.end(), std::back_inserter(text));
  return text;
}

}  // namespace unroll
