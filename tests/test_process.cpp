#include "support.hpp"

#include <unroll/core/array/process.hpp>

#include <doctest/doctest.h>

#include <csignal>

namespace unroll::test {

TEST_CASE("process: reads the input it is given, and what it says is kept apart from its errors") {
  const ProcessResult result = run_process({"sh", "-c", "cat; echo wrong >&2; exit 3"}, {.input = "one\ntwo\n"});
  CHECK(result.status == 3);
  CHECK(result.out == "one\ntwo\n");
  CHECK(result.err == "wrong\n");
}

TEST_CASE("process: arguments arrive as they are, whatever a shell would make of them") {
  const ProcessResult result = run_process({"printf", "%s|", "two words", "$HOME", "a'b", ""});
  CHECK(result.status == 0);
  CHECK(result.out == "two words|$HOME|a'b||");
}

TEST_CASE("process: runs in the folder and with the variables that it is given, beside those that are there") {
  const ProcessResult result = run_process({"sh", "-c", "pwd; echo $GREETING; test -n \"$PATH\" && echo path"},
                                           {.folder = "/", .environment = {"GREETING=hello"}});
  CHECK(result.out == "/\nhello\npath\n");
}

TEST_CASE("process: an end by a signal is minus its number") {
  CHECK(run_process({"sh", "-c", "kill -TERM $$"}).status == -SIGTERM);
}

TEST_CASE("process: a program that is not installed is named") {
  CHECK_THROWS_AS(run_process({"no-such-program-anywhere"}), MissingProgram);
  CHECK(message([] { run_process({"no-such-program-anywhere"}); }) ==
        "no-such-program-anywhere: this program is not installed");
}

}  // namespace unroll::test
