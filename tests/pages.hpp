#pragma once

#include "support.hpp"

#include <string>
#include <string_view>
#include <vector>

// What the tests of the pages share: the code on a page, and the console sessions.
namespace unroll::test {

// The text of a file, by its path in the project: "docs/training.md".
std::string project_text(const std::string& path);

// The code blocks of a page that are marked as `language`, without their fences.
std::vector<std::string> code_blocks(std::string_view text, const std::string& language);

// The page with what its commands print now. A command stands in a block that is marked `console`, after "$ ", and what it prints beneath it. It is run by the
// shell, where `unroll` is the command that was built, and ./ANYTHING the program of the C++ block with a main() that stands last before it. What prints
// the same as before, to rounding, is left as it stands.
std::string with_fresh_output(const std::string& path);

// The same lines, of the same words. Numbers with a decimal point or exponent may differ by one in their last digit, or by 1e-9 of themselves; what is below 1e-6
// on both sides is taken for a rounding error, and may differ, and so may the bar of asterisks behind it.
Comparison same_output(std::string_view shown, std::string_view printed);

}  // namespace unroll::test
