#pragma once

#include <cstdint>
#include <string>

namespace unroll::examples {

// The numbers 0 .. 9999 as they are written. Both throw Error for another one.

// "three hundred twenty-one", without "and".
std::u32string english_number(std::int64_t number);

// In the Sino-Korean numerals, "삼백이십일": a one is not said before 십 (10), 백 (100) and 천 (1000).
std::u32string korean_number(std::int64_t number);

}  // namespace unroll::examples
