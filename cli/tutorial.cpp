#include <unroll/cli/commands.hpp>
#include <unroll/cli/course.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/process.hpp>

#include <algorithm>

namespace unroll::cli {

namespace fs = std::filesystem;

namespace {

bool holds(const std::vector<std::string>& numbers, const Chapter& chapter) {
  return std::find(numbers.begin(), numbers.end(), chapter.number) != numbers.end();
}

void list(const Course& course, bool as_json) {
  const Progress progress = load_progress();
  if (as_json) {
    Json chapters = Json::array();
    for (const Chapter& chapter : course.chapters)
      chapters.push_back({{"number", chapter.number},
                          {"title", chapter.title},
                          {"page", (chapter.folder / "README.md").string()},
                          {"read", holds(progress.read, chapter)},
                          {"solved", holds(progress.solved, chapter)}});
    print_json({{"chapters", chapters}});
    return;
  }
  for (const Chapter& chapter : course.chapters)
    fmt::print("{}  {}  {}  {}\n", chapter.number, holds(progress.read, chapter) ? "read" : "    ",
               holds(progress.solved, chapter) ? "solved" : "      ", chapter.title);
  fmt::print(
      "\n{} of {} chapters read, the exercises of {} solved. The pages: {} (한국어: README.ko.md)\n"
      "unroll tutorial NN runs the program of a chapter, unroll grade NN checks your exercises.\n",
      progress.read.size(), course.chapters.size(), progress.solved.size(), (course.folder / "README.md").string());
}

void copy(const Course& course, const fs::path& to) {
  if (fs::exists(to)) throw Error(fmt::format("--copy: {} is there already: name a folder that is not", to.string()));
  fs::create_directories(to);
  fs::copy(course.folder, to, fs::copy_options::recursive);
  fmt::print("The course is in {}. Go there (cd), and unroll grade NN checks NN/exercise.cpp.\n", to.string());
}

int run_chapter(const Course& course, const Chapter& chapter) {
  const fs::path program = build_chapter(course, chapter, "program"),
                 output = fs::path("out/tutorials") / chapter.number;
  fs::create_directories(output);
  fmt::print("{} · {}\n\n", chapter.number, chapter.title);
  std::fflush(stdout);
  const ProcessResult result = run_process({program.string()}, {.captured = false, .folder = output});
  if (result.status != 0)
    throw Error(fmt::format("the program of chapter {} failed (exit {})", chapter.number, result.status));
  mark_read(chapter);
  std::vector<std::string> drawn;
  for (const auto& entry : fs::directory_iterator(output)) drawn.push_back(entry.path().string());
  std::sort(drawn.begin(), drawn.end());
  fmt::print("\nThe page:      {}\n한국어:        {}\n", (chapter.folder / "README.md").string(),
             (chapter.folder / "README.ko.md").string());
  for (const std::string& file : drawn) fmt::print("Drawn:         {}\n", file);
  fmt::print("The exercise:  {}, then unroll grade {}\n", (chapter.folder / "exercise.cpp").string(), chapter.number);
  return done;
}

}  // namespace

int run_tutorial(const TutorialOptions& o) {
  const Course course = find_course();
  if (!o.copy.empty())
    copy(course, o.copy);
  else if (o.chapter.empty())
    list(course, o.json);
  else
    return run_chapter(course, course.find(o.chapter));
  return done;
}

}  // namespace unroll::cli
