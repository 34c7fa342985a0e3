#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

// Includes run one way only: from the rooms of a learner's last chapter to those of the first.

namespace unroll::test {

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file;    // "core/grad/jvp.cpp"
  std::string target;  // "unroll/core/ops/ops.hpp", as written between the brackets
};

// What a file of a room may include, beside its own room: rooms of a lower level. Rooms of one level do not know each
// other.
const std::map<std::string, int>& levels() {
  static const std::map<std::string, int> all{
      {"core/array", 0},  {"core/kernels", 1}, {"core/tape", 2}, {"core/ops", 3}, {"core/grad", 4}, {"core/check", 5},
      {"core/render", 5}, {"core/plan", 5},    {"layers", 6},    {"optim", 7},    {"examples", 8},  {"cli", 9}};
  return all;
}

// "core/ops/ops.hpp" is in room "core/ops", "layers/gru.cpp" in "layers".
std::string room_of(const std::string& path) {
  const std::size_t first = path.find('/');
  return path.substr(0, path.rfind("core/", 0) == 0 ? path.find('/', first + 1) : first);
}

bool starts_with(const std::string& text, const char* start) { return text.rfind(start, 0) == 0; }

std::vector<std::string> sources() {
  std::vector<std::string> result;
  const fs::path root = UNROLL_SOURCE_DIR;
  for (const char* top : {"core", "layers", "optim", "examples", "cli"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      const std::string file = entry.path().lexically_relative(root).generic_string();
      // users' programs, which include what users include
      if (starts_with(file, "examples/consumer/") || starts_with(file, "examples/coming_from/")) continue;
      if (extension == ".hpp" || extension == ".cpp") result.push_back(file);
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::string contents(const std::string& file) { return read_file("../" + file); }

std::vector<Include> includes() {
  std::vector<Include> result;
  for (const std::string& file : sources()) {
    std::istringstream text(contents(file));
    for (std::string line; std::getline(text, line);) {
      const std::size_t hash = line.find_first_not_of(" \t");
      if (hash == std::string::npos || line.compare(hash, 8, "#include") != 0) continue;
      const std::size_t begin = line.find_first_of("<\"", hash), end = line.find_first_of(">\"", begin + 1);
      result.push_back({file, line.substr(begin + 1, end - begin - 1)});
    }
  }
  return result;
}

// "" where the include is allowed, else why it is not.
std::string fault(const Include& include) {
  const std::string room = room_of(include.file);
  if (!levels().contains(room)) return fmt::format("{} is in no known room", include.file);
  if (!starts_with(include.target, "unroll/")) return {};
  const std::string target = room_of(include.target.substr(7));
  if (target == room) return {};
  if (!levels().contains(target)) return fmt::format("{} includes {}: no known room", include.file, include.target);
  if (levels().at(target) < levels().at(room)) return {};
  return fmt::format("{} includes {}: {} stands before or beside {}", include.file, include.target, room, target);
}

bool is_linalg(const std::string& file) { return starts_with(file, "core/kernels/linalg."); }

}  // namespace

TEST_CASE("rooms include themselves and earlier rooms only") {
  const std::vector<Include> all = includes();
  CHECK(all.size() > 100);
  for (const Include& include : all) {
    const std::string found = fault(include);
    CHECK_MESSAGE(found.empty(), found);
  }
}

TEST_CASE("an include against the direction would be found") {
  CHECK(fault({"core/tape/tape.cpp", "unroll/core/array/array.hpp"}).empty());
  CHECK(fault({"core/tape/tape.cpp", "unroll/core/tape/op.hpp"}).empty());
  CHECK(fault({"core/tape/tape.cpp", "vector"}).empty());
  CHECK(fault({"cli/main.cpp", "unroll/layers/lstm.hpp"}).empty());
  CHECK(!fault({"core/tape/tape.cpp", "unroll/core/ops/ops.hpp"}).empty());
  CHECK(!fault({"core/check/gradcheck.cpp", "unroll/core/render/dot.hpp"}).empty());
  CHECK(!fault({"core/ops/ops.cpp", "unroll/unroll.hpp"}).empty());
  CHECK(!fault({"layers/lstm.cpp", "unroll/optim/sgd.hpp"}).empty());
  CHECK(fault({"cli/example.cpp", "unroll/examples/examples.hpp"}).empty());
  CHECK(!fault({"optim/fit.cpp", "unroll/examples/examples.hpp"}).empty());
  CHECK(!fault({"core/new/new.cpp", "vector"}).empty());
}

TEST_CASE("the rooms of the library are all there") {
  std::set<std::string> rooms;
  for (const std::string& file : sources()) rooms.insert(room_of(file));
  for (const char* room : {"core/array", "core/kernels", "core/tape", "core/ops", "core/grad"}) {
    INFO(room);
    CHECK(rooms.contains(room));
  }
}

TEST_CASE("only the bridge header includes xtensor, and only linalg includes xtensor-blas") {
  for (const Include& include : includes()) {
    INFO(include.file, " includes ", include.target);
    if (starts_with(include.target, "xtensor/")) CHECK(include.file == "core/array/xtensor.hpp");
    if (starts_with(include.target, "xtensor-blas/")) CHECK(is_linalg(include.file));
    CHECK(!starts_with(include.target, "cblas"));
  }
}

TEST_CASE("only linalg names BLAS") {
  std::size_t named = 0;
  for (const std::string& file : sources()) {
    const std::string text = contents(file);
    for (const char* name : {"cblas", "cxxblas", "xt::blas", "xt::linalg", "gemm(", "gemm<"}) {
      const bool found = text.find(name) != std::string::npos;
      if (is_linalg(file))
        named += found;
      else
        CHECK_MESSAGE(!found, fmt::format("{} names {}", file, name));
    }
  }
  CHECK(named > 0);
}

TEST_CASE("headers of the project are included by their full name in angle brackets, and exist") {
  const fs::path root = UNROLL_SOURCE_DIR;
  for (const Include& include : includes()) {
    INFO(include.file, " includes ", include.target);
    if (starts_with(include.target, "unroll/"))
      CHECK((fs::exists(root / include.target.substr(7)) || fs::exists(root / "include" / include.target)));
    else
      CHECK(!fs::exists((root / include.file).parent_path() / include.target));
  }
}

}  // namespace unroll::test
