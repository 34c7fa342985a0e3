#include "support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

// What the pages show must be what the project holds.

namespace {

namespace fs = std::filesystem;

const fs::path root = UNROLL_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in.good(), file.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The code blocks of a page that are marked as C++.
std::vector<std::string> cpp_blocks(const std::string& page) {
  std::vector<std::string> blocks;
  const std::string open = "```cpp\n", close = "```";
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    const std::size_t begin = at + open.size(), end = page.find(close, begin);
    REQUIRE(end != std::string::npos);
    blocks.push_back(page.substr(begin, end - begin));
    at = end;
  }
  return blocks;
}

// The targets of the links of a page that point into the project; code looks like links here and there, and is left out.
std::vector<std::string> local_links(std::string page) {
  for (const std::string fence : {"```", "`"})
    for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at)) {
      const std::size_t end = page.find(fence, at + fence.size());
      if (end == std::string::npos) break;
      page.erase(at, end + fence.size() - at);
    }
  std::vector<std::string> links;
  for (std::size_t at = page.find("]("); at != std::string::npos; at = page.find("](", at + 1)) {
    const std::string target = page.substr(at + 2, page.find(')', at) - at - 2);
    if (target.find("://") == std::string::npos && !target.starts_with('#'))
      links.push_back(target.substr(0, target.find('#')));
  }
  return links;
}

}  // namespace

TEST_CASE("the code that the page on adding an operation shows is the code of tanh") {
  const std::string source = text_of(root / "core/ops/activations.cpp");
  const auto blocks = cpp_blocks(text_of(root / "docs/adding-an-operation.md"));
  REQUIRE(blocks.size() >= 2);
  for (const std::string& block : blocks) {
    INFO(block);
    CHECK(source.find(block) != std::string::npos);
  }
}

TEST_CASE("the README shows a program, which the build compiles and runs as the test page_README_1") {
  const auto blocks = cpp_blocks(text_of(root / "README.md"));
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].find("int main()") != std::string::npos);
  const std::string source = text_of(root / "tests/test_readme_ways.cpp");
  std::istringstream lines(blocks[1]);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(source.find("\n" + line + "\n") != std::string::npos);
  }
}

TEST_CASE("the page on training shows a program, which the build compiles and runs as the test page_training_1") {
  const auto blocks = cpp_blocks(text_of(root / "docs/training.md"));
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].find("int main()") != std::string::npos);
}

TEST_CASE(
    "the page on the gradient flow shows a program, which the build compiles and runs as the test "
    "page_gradient-flow_1") {
  const auto blocks = cpp_blocks(text_of(root / "docs/gradient-flow.md"));
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].find("int main()") != std::string::npos);
}

TEST_CASE("links between the pages lead to files that exist") {
  for (const char* page :
       {"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/adding-an-operation.md", "docs/gradient-flow.md",
        "docs/reproduced.md", "docs/training.md", "docs/ways-through-time.md", "docs/reproduced.md", "bench/README.md",
        "data/README.md", "tests/fixtures/README.md"}) {
    const fs::path file = root / page;
    for (const std::string& link : local_links(text_of(file))) {
      INFO(std::string(page) << " -> " << link);
      CHECK(fs::exists(file.parent_path() / link));
    }
  }
}

TEST_CASE("the map names every room of the source tree") {
  const std::string map = text_of(root / "docs/architecture.md");
  for (const auto& entry : fs::directory_iterator(root / "core"))
    if (entry.is_directory()) {
      const std::string room = "`core/" + entry.path().filename().string() + "`";
      INFO(room);
      CHECK(map.find(room) != std::string::npos);
    }
  for (const char* room : {"`layers`", "`optim`", "`cli`", "`tests`", "`bench`"}) {
    INFO(room);
    CHECK(map.find(room) != std::string::npos);
  }
}
