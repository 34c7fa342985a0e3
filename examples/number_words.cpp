#include <unroll/examples/number_words.hpp>

#include <unroll/core/array/error.hpp>

#include <array>

#include <fmt/format.h>

namespace unroll::examples {

namespace {

constexpr std::array<const char32_t*, 20> small{U"zero",    U"one",     U"two",       U"three",    U"four",
                                                U"five",    U"six",     U"seven",     U"eight",    U"nine",
                                                U"ten",     U"eleven",  U"twelve",    U"thirteen", U"fourteen",
                                                U"fifteen", U"sixteen", U"seventeen", U"eighteen", U"nineteen"};
constexpr std::array<const char32_t*, 10> tens{U"",      U"",      U"twenty",  U"thirty", U"forty",
                                               U"fifty", U"sixty", U"seventy", U"eighty", U"ninety"};
constexpr std::u32string_view digits = U"영일이삼사오육칠팔구";

void require_range(std::int64_t number) {
  if (number < 0 || number > 9999) throw Error(fmt::format("the number {} is not one of 0 to 9999", number));
}

std::u32string below_hundred(std::size_t number) {
  if (number < small.size()) return small[number];
  const std::u32string ten = tens[number / 10];
  return number % 10 == 0 ? ten : ten + U"-" + small[number % 10];
}

}  // namespace

std::u32string english_number(std::int64_t number) {
  require_range(number);
  const auto n = static_cast<std::size_t>(number);
  std::u32string text;
  const auto say = [&](const std::u32string& words) { text += (text.empty() ? U"" : U" ") + words; };
  if (n >= 1000) say(small[n / 1000] + std::u32string(U" thousand"));
  if (n % 1000 >= 100) say(small[n % 1000 / 100] + std::u32string(U" hundred"));
  if (n % 100 > 0 || n == 0) say(below_hundred(n % 100));
  return text;
}

std::u32string korean_number(std::int64_t number) {
  require_range(number);
  if (number == 0) return {digits[0]};
  std::u32string text;
  for (const auto& [unit, name] : {std::pair{1000, U"천"}, {100, U"백"}, {10, U"십"}, {1, U""}}) {
    const auto digit = static_cast<std::size_t>(number / unit % 10);
    if (digit == 0) continue;
    if (digit > 1 || unit == 1) text += digits[digit];
    text += name;
  }
  return text;
}

}  // namespace unroll::examples
