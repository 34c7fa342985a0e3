#include "fit_support.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <doctest/doctest.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include <sys/wait.h>

// `unroll reproduce` as a user runs it.

namespace unroll::test {

namespace {

struct Answer {
  int status;
  std::string out, err;
};

Answer reproduce_command(const std::string& arguments) {
  const TemporaryFolder folder("reproduce");
  const std::string command = std::string("'") + UNROLL_COMMAND + "' reproduce " + arguments + " 2>'" +
                              (folder / "err").string() + "' </dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  Answer answer{};
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) answer.out.append(buffer, n);
  answer.status = WEXITSTATUS(::pclose(pipe));
  answer.err = read_whole_file(folder / "err");
  return answer;
}

// What is said where a request cannot be met.
std::string refused(const std::string& arguments) {
  const Answer answer = reproduce_command(arguments);
  CHECK(answer.status == 2);
  CHECK(answer.out.empty());
  return answer.err.substr(0, answer.err.find('\n'));
}

}  // namespace

TEST_CASE("unroll reproduce: without a name it lists the names") {
  const Answer text = reproduce_command("");
  CHECK(text.status == 0);
  const auto json = nlohmann::json::parse(reproduce_command("--json").out);
  REQUIRE(json["reproductions"].size() == 6);
  for (const auto& row : json["reproductions"]) {
    CHECK(row.size() == 4);
    CHECK(("\n" + text.out).find("\n" + row["name"].get<std::string>() + " ") != std::string::npos);
    CHECK(row["exact"] == (row["name"] == "exact"));
  }
}

TEST_CASE("unroll reproduce exact: published and found side by side and JSON alone on stdout") {
  const Answer text = reproduce_command("exact");
  CHECK(text.status == 0);
  CHECK(text.out.find(
            "weights, adding problem                                                        93           93  yes") !=
        std::string::npos);
  CHECK(text.err.find("weights") != std::string::npos);  // progress

  const Answer answer = reproduce_command("exact --json --seed 5");
  CHECK(answer.status == 0);
  const auto json = nlohmann::json::parse(answer.out);
  CHECK(json["name"] == "exact");
  CHECK(json["seed"] == 5);
  CHECK(json["reproduced"] == true);
  CHECK(json["output"].is_null());
  CHECK(json["rows"].size() == 14);
  for (const auto& row : json["rows"]) {
    INFO(row.dump());
    CHECK(row["reproduced"] == true);
    CHECK(row["here"].get<double>() == doctest::Approx(row["published"].get<double>()).epsilon(0.05));
  }
  CHECK(reproduce_command("exact --json --seed 5").out == answer.out);
}

TEST_CASE("unroll reproduce: what cannot be done is refused with the reason") {
  CHECK(refused("rebber") ==
        "unroll reproduce: there is no reproduction rebber: choose exact, reber, adding, adding-1997, temporal-order, "
        "reach");
  CHECK(refused("exact --output a.svg") ==
        "unroll reproduce: --output draws a curve, and exact has none: only reach has");
  CHECK(refused("--output a.svg") == "unroll reproduce: --output needs a NAME: only reach has a curve");
  CHECK(refused("reach --output a.png") == "unroll reproduce: --output: a.png does not end in .svg");
  CHECK(refused("exact --seed -1") == "unroll reproduce: --seed: -1 is not a whole number from 0 up");
  CHECK(!refused("exact reber").empty());
}

}  // namespace unroll::test
