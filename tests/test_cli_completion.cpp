#include "command.hpp"

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

// What the shells complete, asked of bash itself, and the man page. Both are written by the command, from what it accepts.

namespace unroll::test {

namespace {

using Answers = std::set<std::string>;

// What bash offers for the last of the words of a line, in a folder that holds these files.
Answers completed(const std::vector<std::string>& line, const std::vector<std::string>& files = {}) {
  const Folder folder;
  const std::string script = folder.file("completion", run({"completion", "bash"}).out);
  for (const std::string& file : files) folder.file(file, "");
  std::string words;
  for (const std::string& word : line) words += " " + quoted(word);
  const std::string out = folder.file("answers");
  const std::string ask = "cd " + quoted(folder.file("")) + " && . ./completion && COMP_WORDS=(" + words +
                          ") COMP_CWORD=" + std::to_string(line.size() - 1) +
                          " && _unroll && rm completion && printf '%s\\n' \"${COMPREPLY[@]}\" > answers";
  REQUIRE(std::system(("bash --norc -c " + quoted(ask)).c_str()) == 0);
  std::istringstream lines(read_whole_file(out));
  Answers answers;
  for (std::string answer; std::getline(lines, answer);)
    if (!answer.empty()) answers.insert(answer);
  return answers;
}

}  // namespace

TEST_CASE("completion in bash: the name of a subcommand") {
  CHECK(completed({"unroll", "ren"}) == Answers{"render"});
  CHECK(completed({"unroll", "s"}) == Answers{"sample", "summary"});
  CHECK(completed({"unroll", "man"}) == Answers{});  // hidden
}

TEST_CASE("completion in bash: an option of the subcommand") {
  CHECK(completed({"unroll", "check", "--mo"}) == Answers{"--mode"});
  CHECK(completed({"unroll", "summary", "--mo"}) == Answers{});
}

TEST_CASE("completion in bash: the words that an option or an argument may be") {
  CHECK(completed({"unroll", "render", "lstm", "--level", ""}) == Answers{"ops", "gates", "cells", "folded"});
  CHECK(completed({"unroll", "render", "lstm", "--level", "=", "g"}) == Answers{"gates"});
  CHECK(completed({"unroll", "check", "--mode", "e"}) == Answers{"entries", "extrapolated"});
  CHECK(completed({"unroll", "check", "l"}) == Answers{"lstm"});
  CHECK(completed({"unroll", "train", "--cell", ""}) == Answers{"rnn", "lstm", "gru"});
  CHECK(completed({"unroll", "example", "dig"}) == Answers{"digit"});
  CHECK(completed({"unroll", "check", "--steps", ""}) == Answers{});  // a number
}

TEST_CASE("completion in bash: files where a file is wanted, with blanks in their names") {
  const std::vector<std::string> files{"a story.txt", "other.txt"};
  CHECK(completed({"unroll", "train", "--text", "a"}, files) == Answers{"a story.txt"});
  CHECK(completed({"unroll", "sample", "o"}, files) == Answers{"other.txt"});
  CHECK(completed({"unroll", "render", "--text", "o"}, files) == Answers{});  // a sentence
}

TEST_CASE("every word that bash offers for an option is one that the command takes") {
  for (const std::string& theme : completed({"unroll", "render", "lstm", "--theme", ""}))
    CHECK(run({"render", "lstm", "--steps", "1", "--theme", theme, "--output", "-"}).status == 0);
  for (const std::string& task : completed({"unroll", "flow", "--task", ""}))
    CHECK(run({"flow", "rnn", "--steps", "4", "--task", task}).status == 0);
}

TEST_CASE("unroll completion: there are three shells") {
  for (const char* shell : {"bash", "zsh", "fish"})
    CHECK(run({"completion", shell}).out.find("unroll") != std::string::npos);
  CHECK(refusal({"completion", "csh"}) == "unroll completion: SHELL: csh is not bash, zsh or fish");
}

TEST_CASE("the man page has every subcommand and every option of its help") {
  const std::string page = run({"man-page"}).out;
  for (const std::string& command : completed({"unroll", ""})) {
    if (command.starts_with('-')) continue;
    INFO(command);
    const std::size_t at = page.find(".SS unroll " + command + "\n");
    REQUIRE(at != std::string::npos);
    const std::string part = page.substr(at, page.find(".S", at + 1) - at);
    std::istringstream help(run({command, "--help"}).out);
    for (std::string line; std::getline(help, line);)
      if (line.starts_with("  --")) {
        const std::string option = line.substr(4, line.find_first_of(" =", 4) - 4);
        INFO(option);
        std::string escaped = "\\-\\-";
        for (const char c : option) escaped += c == '-' ? "\\-" : std::string(1, c);
        CHECK(part.find("\\fB" + escaped + "\\fR") != std::string::npos);
      }
  }
}

TEST_CASE("unroll --version") {
  const Result result = run({"--version"});
  CHECK(result.status == 0);
  CHECK(result.out.starts_with("unroll 0."));
}

}  // namespace unroll::test
