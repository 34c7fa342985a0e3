#include <unroll/cli/commands.hpp>
#include <unroll/cli/course.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/process.hpp>

namespace unroll::cli {

namespace fs = std::filesystem;

int run_grade(const GradeOptions& o) {
  const Course course = find_course();
  const Chapter& chapter = course.find(o.chapter);
  if (!o.file.empty() && !fs::is_regular_file(o.file)) throw Error(fmt::format("--file: there is no file {}", o.file));
  const std::string what = o.file.empty() ? (chapter.folder / "exercise.cpp").string() : o.file;
  fs::path grader;
  try {
    grader = build_chapter(course, chapter, "grade", o.file);
  } catch (const DoesNotCompile& error) {
    const std::string hint = fmt::format("{} does not compile. What the compiler says:\n\n{}", what, error.what());
    if (o.json)
      print_json({{"title", chapter.title},
                  {"passed", false},
                  {"tasks", {{{"name", "it compiles"}, {"passed", false}, {"hint", hint}}}}});
    else
      fmt::print("{}\n", hint);
    return check_failed;
  }
  std::vector<std::string> command{grader.string()};
  if (o.json) command.push_back("--json");
  std::fflush(stdout);
  const ProcessResult result = run_process(command, {.captured = false});
  if (result.status == 0) {
    mark_solved(chapter);
    if (!o.json) {
      const auto next = static_cast<std::size_t>(&chapter - course.chapters.data()) + 1;
      if (next < course.chapters.size())
        fmt::print("Next: unroll tutorial {} ({}). ", course.chapters[next].number, course.chapters[next].title);
      fmt::print("Another solution: {}\n", (chapter.folder / "solution.cpp").string());
    }
    return done;
  }
  const std::string again = o.file.empty() ? "" : fmt::format(" --file {}", o.file);
  if (!o.json) fmt::print("Mend {}, and ask again: unroll grade {}{}\n", what, chapter.number, again);
  return check_failed;
}

}  // namespace unroll::cli
