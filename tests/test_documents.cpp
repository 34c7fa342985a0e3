#include "pages.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

// What the pages show must be what the project holds.

namespace {

namespace fs = std::filesystem;
using unroll::test::code_blocks;
using unroll::test::project_text;

const fs::path root = UNROLL_SOURCE_DIR;

// The targets of the links of a page that point into the project; code looks like links here and there, and is left out.
std::vector<std::string> local_links(const std::string& text) {
  std::string page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("    ")) page += line + "\n";
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

// Every page of the project, in whatever folder it stands.
std::vector<fs::path> all_pages() {
  std::vector<fs::path> pages;
  const auto take = [&](const fs::directory_entry& entry) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  };
  for (const auto& entry : fs::directory_iterator(root)) take(entry);
  for (const char* folder : {"docs", "tutorials", "examples", "bench", "data", "tests"})
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == "node_modules") it.disable_recursion_pending();
      take(*it);
    }
  return pages;
}

}  // namespace

TEST_CASE("the code that the page on adding an operation shows is the code of tanh") {
  const std::string source = project_text("core/ops/activations.cpp");
  const auto blocks = code_blocks(project_text("docs/adding-an-operation.md"), "cpp");
  REQUIRE(blocks.size() >= 2);
  for (const std::string& block : blocks) {
    INFO(block);
    CHECK(source.find(block) != std::string::npos);
  }
}

TEST_CASE("the README shows a program, which the build compiles and runs as the test page_README_1") {
  const auto blocks = code_blocks(project_text("README.md"), "cpp");
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].find("int main()") != std::string::npos);
  const std::string source = project_text("tests/test_readme_ways.cpp");
  std::istringstream lines(blocks[1]);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(source.find("\n" + line + "\n") != std::string::npos);
  }
}

TEST_CASE("the page on training shows a program, which the build compiles and runs as the test page_training_1") {
  const auto blocks = code_blocks(project_text("docs/training.md"), "cpp");
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].find("int main()") != std::string::npos);
}

TEST_CASE(
    "the page on the gradient flow shows a program, which the build compiles and runs as the test "
    "page_gradient-flow_1") {
  const auto blocks = code_blocks(project_text("docs/gradient-flow.md"), "cpp");
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].find("int main()") != std::string::npos);
}

TEST_CASE("the page on drawings shows a program, which the build compiles and runs as the test page_drawing_1") {
  const auto blocks = code_blocks(project_text("docs/drawing.md"), "cpp");
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0].find("int main()") != std::string::npos);
}

TEST_CASE("the page on embedding shows the program and the projects that scripts/check-install builds") {
  const std::string page = project_text("docs/embed.md");
  CHECK(code_blocks(page, "cpp") == std::vector{project_text("examples/consumer/main.cpp")});
  CHECK(code_blocks(page, "cmake") == std::vector{project_text("examples/consumer/CMakeLists.txt"),
                                                  project_text("examples/consumer/add_subdirectory/CMakeLists.txt"),
                                                  project_text("examples/consumer/fetch_content/CMakeLists.txt")});
}

TEST_CASE("links between the pages lead to files that exist") {
  const std::vector<fs::path> pages = all_pages();
  REQUIRE(pages.size() > 50);  // 17 chapters in two languages, and the rest
  for (const fs::path& page : pages)
    for (const std::string& link : local_links(project_text(fs::relative(page, root).string()))) {
      INFO(fs::relative(page, root).string() << " -> " << link);
      CHECK(fs::exists(page.parent_path() / link));
    }
}

TEST_CASE("the map names every room of the source tree") {
  const std::string map = project_text("docs/architecture.md");
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
