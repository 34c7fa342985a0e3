#pragma once

#include <unroll/core/array/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll {

// Text that is not UTF-8, and the position of the first byte that is wrong.
class Utf8Error : public Error {
 public:
  // A text whose byte at this position is wrong.
  explicit Utf8Error(std::size_t position);
  std::size_t position = 0;  // in bytes, from 0
};

// The characters of a UTF-8 text: one number for each code point, whatever its length in bytes. Throws Utf8Error.
std::u32string decode_utf8(std::string_view text);

// The text of some characters in UTF-8.
std::string encode_utf8(std::u32string_view characters);

}  // namespace unroll
