#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <unroll/core/array/error.hpp>

// The course as the command sees it: a folder of chapters, which it builds and runs one at a time, and a file that keeps what the reader has finished.
namespace unroll::cli {

struct Chapter {
  std::string number;  // "06"
  std::string title;   // "A cell and its unrolling"
  std::filesystem::path folder;
};

struct Course {
  std::filesystem::path folder;
  std::vector<Chapter> chapters;  // in their order

  // "6" and "06" are the same. Throws Error, which lists the numbers there are.
  const Chapter& find(const std::string& number) const;
};

// The course in the current folder, in its subfolder `tutorials`, beside the built command, or as it is installed: the first of these that there is. Throws Error if there is none.
Course find_course();

// The built program of a chapter: `target` is program or grade. `exercise` replaces the chapter's exercise.cpp, if it is not empty. Throws Error if a tool is missing, and
// DoesNotCompile, with what the compiler said.
class DoesNotCompile : public Error {
 public:
  using Error::Error;
};
std::filesystem::path build_chapter(const Course& course, const Chapter& chapter, const std::string& target,
                                    const std::filesystem::path& exercise = {});

// What the reader has finished, kept in $XDG_STATE_HOME/unroll (or ~/.local/state/unroll).
struct Progress {
  std::vector<std::string> read, solved;  // numbers of chapters
};
Progress load_progress();
void mark_read(const Chapter& chapter);
void mark_solved(const Chapter& chapter);

}  // namespace unroll::cli
