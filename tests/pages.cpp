#include "pages.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

namespace unroll::test {

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// A number that was rounded when it was printed.
struct Rounded {
  double value = 0, last_digit = 0;
  std::string around;  // the punctuation: "(1e-06)." has "()."
};

std::optional<Rounded> rounded(const std::string& word) {
  const std::size_t begin = word.find_first_of("-.0123456789"), end = word.find_last_of("0123456789");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const std::string digits = word.substr(begin, end + 1 - begin);
  const std::size_t point = digits.find('.'), exponent = std::min(digits.find('e'), digits.size());
  if (point == std::string::npos && exponent == digits.size()) return std::nullopt;
  char* rest = nullptr;
  Rounded result{.value = std::strtod(digits.c_str(), &rest), .around = word.substr(0, begin) + word.substr(end + 1)};
  if (*rest != '\0') return std::nullopt;
  const int places = point < exponent ? static_cast<int>(exponent - point) - 1 : 0;
  const int power = exponent < digits.size() ? std::atoi(digits.c_str() + exponent + 1) : 0;
  result.last_digit = std::pow(10, power - places);
  return result;
}

bool is_rounding_error(const Rounded& x) { return std::abs(x.value) < 1e-6; }

bool same(const Rounded& a, const Rounded& b) {
  const double allowed = std::max(1.01 * std::min(a.last_digit, b.last_digit), 1e-9 * std::abs(a.value));
  return a.around == b.around &&
         ((is_rounding_error(a) && is_rounding_error(b)) || std::abs(a.value - b.value) <= allowed);
}

bool is_bar(const std::string& word) { return word.find_first_not_of('*') == std::string::npos; }

bool same_line(const std::string& shown, const std::string& printed) {
  const std::vector<std::string> a = words_of(shown), b = words_of(printed);
  bool after_rounding_error = false;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const bool bars = (i >= a.size() || is_bar(a[i])) && (i >= b.size() || is_bar(b[i]));
    if (after_rounding_error && bars) continue;
    if (i >= a.size() || i >= b.size()) return false;
    const std::optional<Rounded> x = rounded(a[i]), y = rounded(b[i]);
    after_rounding_error = x && y && is_rounding_error(*x) && is_rounding_error(*y);
    const bool agree = x && y ? same(*x, *y)
                       : bars ? std::max(a[i].size(), b[i].size()) - std::min(a[i].size(), b[i].size()) <= 1
                              : a[i] == b[i];
    if (!agree) return false;
  }
  return true;
}

// What a command line of a page prints, errors included.
std::string output_of(const std::string& command_line, const std::string& program) {
  const std::string folder = std::filesystem::path(UNROLL_COMMAND).parent_path().string();
  const std::string to_run = command_line.starts_with("./") ? "'" + program + "'" : command_line;
  const std::string in_shell = fmt::format("PATH='{}':\"$PATH\"; {{ {}; }} 2>&1 </dev/null", folder, to_run);
  std::FILE* pipe = ::popen(in_shell.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run: " + command_line);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  ::pclose(pipe);  // a check that fails is worth a page: it is the output that counts
  return text;
}

}  // namespace

std::string project_text(const std::string& path) {
  return read_whole_file(std::string(UNROLL_SOURCE_DIR) + "/" + path);
}

std::vector<std::string> code_blocks(std::string_view text, const std::string& language) {
  std::vector<std::string> blocks;
  std::optional<std::string> open;
  for (const std::string& line : lines_of(text)) {
    if (open && line == "```") {
      blocks.push_back(*open);
      open.reset();
    } else if (open) {
      *open += line + "\n";
    } else if (line == "```" + language) {
      open = "";
    }
  }
  if (open) throw std::runtime_error("a block of code is not closed: " + *open);
  return blocks;
}

std::string with_fresh_output(const std::string& path) {
  const std::string name = std::filesystem::path(path).stem().string();
  std::string text, shown, printed;
  bool in_console = false, in_code = false;
  int programs = 0;
  const auto close_command = [&] {
    text += same_output(shown, printed) ? shown : printed;
    shown.clear();
    printed.clear();
  };
  for (const std::string& line : lines_of(project_text(path))) {
    if (line.starts_with("```")) {
      close_command();
      in_console = line == "```console";
      in_code = line == "```cpp";
    } else if (in_console && line.starts_with("$ ")) {
      close_command();
      printed = output_of(line.substr(2), fmt::format("{}/page_{}_{}", UNROLL_PAGE_PROGRAMS, name, programs));
    } else if (in_console) {
      shown += line + "\n";
      continue;
    } else if (in_code && line.find("int main(") != std::string::npos) {
      ++programs;
    }
    text += line + "\n";
  }
  return text;
}

Comparison same_output(std::string_view shown, std::string_view printed) {
  const std::vector<std::string> a = lines_of(shown), b = lines_of(printed);
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
    if (i >= a.size() || i >= b.size() || !same_line(a[i], b[i]))
      return {fmt::format("line {}:\nshown    {}\nprinted  {}", i + 1, i < a.size() ? a[i] : "(nothing)",
                          i < b.size() ? b[i] : "(nothing)")};
  return {};
}

}  // namespace unroll::test
