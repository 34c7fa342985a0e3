#pragma once

#include <string>
#include <string_view>
#include <vector>

// What the tests of the pages share: the text of a page, and the code on it.
namespace unroll::test {

// The text of a file, by its path in the project: "docs/training.md".
std::string project_text(const std::string& path);

// The code blocks of a page that are marked as `language`, without their fences.
std::vector<std::string> code_blocks(std::string_view text, const std::string& language);

}  // namespace unroll::test
