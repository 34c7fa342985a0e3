#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/random.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::reproduce {

// The embedded Reber grammar (Reber 1967; Smith and Zipser 1989; Fahlman 1991): B, then T or P, then a string of the Reber grammar, then the same
// T or P again, then E. At every branch both ways are equally likely. To predict the last symbol but one, the second must be remembered over the
// whole string within.
struct ReberString {
  std::string symbols;  // "BTBTXSETE"
  std::vector<std::string>
      legal;  // legal[t]: the symbols that may follow symbols[0 .. t], in the order of reber_symbols; "" after the last
};

inline constexpr char reber_symbols[] = "BTSXPVE";

ReberString embedded_reber_string(Generator& generator);
std::vector<ReberString> embedded_reber_strings(std::int64_t count, Generator& generator);

// The position of a symbol in reber_symbols. Throws Error for any other character.
std::int64_t reber_index(char symbol);

// symbols[from .. to) as rows with a single 1, (to - from, 1, 7).
Array one_hot(const std::string& symbols, std::size_t from, std::size_t to, DType dtype = DType::f32);

}  // namespace unroll::reproduce
