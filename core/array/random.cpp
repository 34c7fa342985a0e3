#include <unroll/core/array/random.hpp>

#include <charconv>
#include <locale>
#include <sstream>

namespace unroll {

std::string Generator::text() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << engine_;
  return out.str();
}

std::optional<Generator> Generator::from_text(std::string_view text) {
  // The standard library reads what it is given without looking: the words of the state and, in some libraries, the position in it.
  std::size_t numbers = 0;
  std::uint64_t number = 0;
  for (const char *at = text.data(), *end = at + text.size(); at != end; ++numbers) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || (next != end && *next != ' ')) return std::nullopt;
    at = next == end ? end : next + 1;
  }
  constexpr std::size_t words = std::mt19937_64::state_size;
  if (numbers != words && !(numbers == words + 1 && number <= words)) return std::nullopt;

  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  Generator generator(0);
  in >> generator.engine_;
  if (in.fail()) return std::nullopt;
  return generator;
}

}  // namespace unroll
