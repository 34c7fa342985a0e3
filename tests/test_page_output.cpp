#include "pages.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

namespace unroll::test {

TEST_CASE("outputs are the same if their words are, and their numbers to rounding") {
  const std::string shown =
      "leaf  analytic  -0.0001526444  9.4e-01  WRONG\n"
      "settle on 0.00449084093 +- 1e-13, far (from 5.626731569202368).\n"
      "  9.2e-02    8.6e-03  *****************\n"
      "  1.5e-09    3.1e-11  *******\n";
  const auto with = [&](const std::string& before, const std::string& after) {
    std::string text = shown;
    text.replace(text.find(before), before.size(), after);
    return static_cast<bool>(same_output(shown, text));
  };
  CHECK(same_output(shown, shown));
  CHECK(with("1526444", "1526445"));
  CHECK(with("9202368", "9202301"));
  CHECK(with("1e-13", "4e-14"));
  CHECK(with("3.1e-11  *******", "8.0e-10  ***********"));
  CHECK(with("3.1e-11  *******", "0.0e+00"));
  CHECK(with("*****************", "****************"));
  CHECK(!with("1526444", "1526446"));
  CHECK(!with("-0.0001526444", "0.0001526444"));
  CHECK(!with("9202368).", "9202368)"));
  CHECK(!with("1e-13", "1e-3"));
  CHECK(!with("WRONG", "ok"));
  CHECK(!with("leaf  analytic", "leaf"));
  CHECK(!with("*****************", "***************"));
  CHECK(!with("8.6e-03  *****************", "8.6e-03"));
  CHECK(!with("  9.2e-02    8.6e-03  *****************\n", ""));
  CHECK(!same_output(shown, shown + "one line more\n"));
}

// With the environment variable UNROLL_UPDATE_GOLDEN set, the pages are written anew instead: scripts/refresh-pages.
TEST_CASE("pages show what their commands print") {
  int sessions = 0;
  for (const auto& entry : std::filesystem::directory_iterator(UNROLL_SOURCE_DIR "/docs")) {
    const std::string path = "docs/" + entry.path().filename().string();
    if (entry.path().extension() != ".md" || code_blocks(project_text(path), "console").empty()) continue;
    ++sessions;
    const std::string fresh = with_fresh_output(path);
    if (std::getenv("UNROLL_UPDATE_GOLDEN") != nullptr) {
      if (fresh != project_text(path)) write_whole_file(entry.path(), fresh);
      continue;
    }
    INFO(path << " shows other output than its commands print; scripts/refresh-pages rewrites it");
    CHECK(same_output(project_text(path), fresh));
  }
  CHECK(sessions >= 2);
}

}  // namespace unroll::test
