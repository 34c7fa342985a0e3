#pragma once

#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <unistd.h>

// The built command, as a user runs it.
namespace unroll::test {

using Json = nlohmann::json;

// A folder of a test's own, gone with it.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("unroll-test-cli-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string file(const std::string& name, const std::string& bytes) const {
    write_whole_file(path_ / name, bytes);
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

struct Result {
  int status;
  std::string out, err;

  Json json() const { return Json::parse(out); }
};

// An argument as the shell takes it.
std::string quoted(const std::string& argument);
// Runs the command with these arguments, and nothing on stdin. The status is minus the number of the signal where one ended it.
Result run(const std::vector<std::string>& arguments);

// The first line of what is said where a request cannot be met; "" unless the status is 2 and nothing is on stdout.
std::string refusal(const std::vector<std::string>& arguments);

std::set<std::string> keys(const Json& object);
using Keys = std::set<std::string>;

}  // namespace unroll::test
