#include "pages.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <optional>
#include <sstream>
#include <stdexcept>

namespace unroll::test {

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
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

}  // namespace unroll::test
