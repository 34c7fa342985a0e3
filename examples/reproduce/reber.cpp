#include <unroll/examples/reproduce/reber.hpp>

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace unroll::reproduce {

namespace {

// The two ways out of a place of the Reber grammar: the symbol, and the place to which it leads.
struct Ways {
  std::array<char, 2> symbol;
  std::array<int, 2> next;
};

// Places 0 .. 4 lie between the first B and the E; at `exit` only the E is left.
constexpr int exit = 5;
constexpr std::array<Ways, 5> grammar{{
    {{'T', 'P'}, {1, 2}},
    {{'S', 'X'}, {1, 3}},
    {{'T', 'V'}, {2, 4}},
    {{'X', 'S'}, {2, exit}},
    {{'P', 'V'}, {3, exit}},
}};

class Writer {
 public:
  explicit Writer(Generator& generator) : generator_(generator) {}

  void write(char symbol) { add(std::string(1, symbol), symbol); }
  char choose(const std::array<char, 2>& ways) {
    const char symbol = ways[generator_.below(2)];
    std::string legal;
    for (const char s : std::string_view(reber_symbols))
      if (s == ways[0] || s == ways[1]) legal += s;
    add(legal, symbol);
    return symbol;
  }
  ReberString finished() {
    string_.legal.erase(string_.legal.begin());  // what may come first follows nothing
    string_.legal.emplace_back();
    return string_;
  }

 private:
  void add(const std::string& legal, char symbol) {
    string_.legal.push_back(legal);
    string_.symbols += symbol;
  }

  Generator& generator_;
  ReberString string_;
};

}  // namespace

ReberString embedded_reber_string(Generator& generator) {
  Writer writer(generator);
  writer.write('B');
  const char remembered = writer.choose({'T', 'P'});
  writer.write('B');
  for (int place = 0; place != exit;) {
    const Ways& ways = grammar[static_cast<std::size_t>(place)];
    place = writer.choose(ways.symbol) == ways.symbol[0] ? ways.next[0] : ways.next[1];
  }
  writer.write('E');
  writer.write(remembered);
  writer.write('E');
  return writer.finished();
}

std::vector<ReberString> embedded_reber_strings(std::int64_t count, Generator& generator) {
  std::vector<ReberString> strings;
  for (std::int64_t k = 0; k < count; ++k) strings.push_back(embedded_reber_string(generator));
  return strings;
}

std::int64_t reber_index(char symbol) {
  const std::size_t index = std::string_view(reber_symbols).find(symbol);
  if (index == std::string_view::npos)
    throw Error(fmt::format("{} is no symbol of the Reber grammar: {}", symbol, reber_symbols));
  return static_cast<std::int64_t>(index);
}

Array one_hot(const std::string& symbols, std::size_t from, std::size_t to, DType dtype) {
  Array rows({static_cast<std::int64_t>(to - from), 1, 7}, dtype);
  for (std::size_t t = from; t < to; ++t)
    rows.set_flat((t - from) * 7 + static_cast<std::size_t>(reber_index(symbols[t])), 1);
  return rows;
}

}  // namespace unroll::reproduce
