#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The different characters of a text, numbered 0, 1, 2, ... in the order of their code points. A character is a code point, so any
// language that Unicode knows will do.
class Vocabulary {
 public:
  // The characters that occur in a text.
  explicit Vocabulary(std::u32string_view text);

  // How many different characters.
  std::int64_t size() const { return static_cast<std::int64_t>(characters_.size()); }
  // All of them, in order.
  const std::u32string& characters() const { return characters_; }
  // The character of a number, which must be from 0 to below size().
  char32_t character(std::int64_t symbol) const { return characters_[static_cast<std::size_t>(symbol)]; }
  // Whether the text had this character.
  bool contains(char32_t character) const;

  // The number of every character. Throws Error, naming the character, if one is not in the vocabulary.
  std::vector<std::int64_t> encode(std::u32string_view text) const;

 private:
  std::u32string characters_;
};

// Whether there is something to see: not of a space, a line end, a control character.
bool visible(char32_t character);

// A character for messages: 'e' and its code point; only the code point where there is nothing to see.
std::string describe(char32_t character);

}  // namespace unroll
