#include "support.hpp"

#include <unroll/core/array/whole_file.hpp>

#include <doctest/doctest.h>

#include <filesystem>

#include <unistd.h>

namespace unroll::test {

TEST_CASE(
    "whole file: is written through a link, also where nothing is behind it yet, and a circle of links is refused") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("unroll-links-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder / "sub");
  fs::create_symlink("sub/new", folder / "link");
  fs::create_symlink("link", folder / "second");
  require_writable(folder / "second");
  CHECK_FALSE(fs::exists(folder / "sub/new"));
  write_whole_file(folder / "second", "text");
  CHECK(read_whole_file(folder / "sub/new") == "text");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::is_symlink(folder / "second"));

  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  for (const auto& attempt : {std::function<void()>([&] { require_writable(folder / "a"); }),
                              std::function<void()>([&] { write_whole_file(folder / "a", "x"); })})
    CHECK(message(attempt).find("its links lead in a circle") != std::string::npos);
  fs::remove_all(folder);
}

}  // namespace unroll::test
