#include <unroll/layers/vocabulary.hpp>

#include <unroll/core/array/utf8.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

Vocabulary::Vocabulary(std::u32string_view text) {
  std::vector<bool> seen(0x110000);  // one for each code point there is
  for (char32_t character : text) seen.at(character) = true;
  for (char32_t character = 0; character < seen.size(); ++character)
    if (seen[character]) characters_ += character;
}

bool Vocabulary::contains(char32_t character) const {
  return std::binary_search(characters_.begin(), characters_.end(), character);
}

std::vector<std::int64_t> Vocabulary::encode(std::u32string_view text) const {
  std::vector<std::int64_t> symbols;
  symbols.reserve(text.size());
  for (char32_t character : text) {
    const auto found = std::lower_bound(characters_.begin(), characters_.end(), character);
    if (found == characters_.end() || *found != character)
      throw Error(
          fmt::format("the character {} is not among the {} that the model knows", describe(character), size()));
    symbols.push_back(found - characters_.begin());
  }
  return symbols;
}

bool visible(char32_t character) { return character > 0x20 && !(character >= 0x7F && character <= 0xA0); }

std::string describe(char32_t character) {
  const std::string code = fmt::format("U+{:04X}", static_cast<std::uint32_t>(character));
  return visible(character) ? fmt::format("'{}' ({})", encode_utf8({&character, 1}), code) : code;
}

}  // namespace unroll
