#include "command.hpp"

#include <cstdio>

#include <doctest/doctest.h>

#include <sys/wait.h>

namespace unroll::test {

std::string quoted(const std::string& argument) {
  std::string text = "'";
  for (char c : argument) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

Result run(const std::vector<std::string>& arguments) {
  static int count = 0;
  const std::filesystem::path err =
      std::filesystem::temp_directory_path() /
      ("unroll-test-cli-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".err");
  std::string command = quoted(UNROLL_COMMAND);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  command += " 2>" + quoted(err.string()) + " </dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  Result result{};
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) result.out.append(buffer, n);
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  result.err = read_whole_file(err);
  std::filesystem::remove(err);
  return result;
}

std::string refusal(const std::vector<std::string>& arguments) {
  const Result result = run(arguments);
  if (result.status != 2 || !result.out.empty()) return {};
  return result.err.substr(0, result.err.find('\n'));
}

std::set<std::string> keys(const Json& object) {
  std::set<std::string> result;
  for (const auto& [key, value] : object.items()) result.insert(key);
  return result;
}

}  // namespace unroll::test
