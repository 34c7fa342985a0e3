#include <unroll/cli/course.hpp>
#include <unroll/cli/output.hpp>

#include <unroll/core/array/process.hpp>
#include <unroll/core/array/whole_file.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace unroll::cli {

namespace fs = std::filesystem;

namespace {

fs::path folder_of_the_command() { return fs::read_symlink("/proc/self/exe").parent_path(); }

bool is_course(const fs::path& folder) {
  return fs::exists(folder / "CMakeLists.txt") && fs::exists(folder / "grading.hpp") && fs::exists(folder / "01");
}

bool is_chapter(const fs::path& folder) {
  const std::string name = folder.filename().string();
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  return name.size() == 2 && std::all_of(name.begin(), name.end(), digit) && fs::exists(folder / "program.cpp");
}

// "# 6 · A cell and its unrolling" is the first line of a chapter's page.
std::string title_of(const fs::path& chapter) {
  const std::string page = read_whole_file(chapter / "README.md");
  const std::string line = page.substr(0, page.find('\n')), mark = " · ";
  const std::size_t at = line.find(mark);
  return at == std::string::npos ? line : line.substr(at + mark.size());
}

// A folder of the user's own, as the XDG base directories have it.
fs::path own_folder(const char* variable, const char* below_home) {
  const char* const chosen = std::getenv(variable);
  if (chosen && *chosen) return fs::path(chosen) / "unroll";
  const char* const home = std::getenv("HOME");
  if (!home || !*home) throw Error(fmt::format("neither {} nor HOME says where to keep files", variable));
  return fs::path(home) / below_home / "unroll";
}

fs::path progress_file() { return own_folder("XDG_STATE_HOME", ".local/state") / "progress.json"; }

void mark(std::vector<std::string> Progress::*list, const Chapter& chapter) {
  Progress progress = load_progress();
  std::vector<std::string>& numbers = progress.*list;
  if (std::find(numbers.begin(), numbers.end(), chapter.number) != numbers.end()) return;
  numbers.push_back(chapter.number);
  std::sort(numbers.begin(), numbers.end());
  write_whole_file(progress_file(), Json{{"read", progress.read}, {"solved", progress.solved}}.dump(2) + "\n");
}

std::string read_if_there(const fs::path& file) { return fs::exists(file) ? read_whole_file(file) : ""; }

// Two commands that build at the same time take turns.
class Lock {
 public:
  explicit Lock(const fs::path& file) : handle_(::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
    if (handle_ < 0) throw FileError(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    if (::flock(handle_, LOCK_EX | LOCK_NB) == 0) return;
    fmt::print(stderr, "(waiting: another unroll is building a chapter)\n");
    ::flock(handle_, LOCK_EX);
  }
  ~Lock() { ::close(handle_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int handle_;
};

void run_cmake(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"cmake"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const ProcessResult result = run_process(command);
  if (result.status != 0) throw DoesNotCompile(result.err + result.out);
}

// Where it is installed, Ninja: CMake's own choice, make, is missing where scripts/install-packages brought all.
std::vector<std::string> generator() {
  if (std::getenv("CMAKE_GENERATOR") != nullptr) return {};
  try {
    if (run_process({"ninja", "--version"}).status == 0) return {"-G", "Ninja"};
  } catch (const MissingProgram&) {}
  return {};
}

}  // namespace

const Chapter& Course::find(const std::string& number) const {
  const std::string wanted = number.size() == 1 ? "0" + number : number;
  for (const Chapter& chapter : chapters)
    if (chapter.number == wanted) return chapter;
  throw Error(fmt::format("there is no chapter {}: they go from {} to {}", number, chapters.front().number,
                          chapters.back().number));
}

Course find_course() {
  const fs::path here = fs::current_path(), command = folder_of_the_command();
  for (const fs::path& folder : {here, here / "tutorials", command / "course", command / "../share/unroll/tutorials"})
    if (is_course(folder)) {
      Course course{fs::canonical(folder), {}};
      for (const auto& entry : fs::directory_iterator(course.folder))
        if (is_chapter(entry.path()))
          course.chapters.push_back({entry.path().filename().string(), title_of(entry.path()), entry.path()});
      std::sort(course.chapters.begin(), course.chapters.end(),
                [](const Chapter& a, const Chapter& b) { return a.number < b.number; });
      return course;
    }
  throw Error("the course is not here: run the command in a folder that holds it (tutorials/), or install it");
}

fs::path build_chapter(const Course& course, const Chapter& chapter, const std::string& target,
                       const fs::path& exercise) {
  // beside the built command, or, where that is installed, among the user's own files
  const fs::path command = folder_of_the_command();
  const bool in_build_tree = fs::exists(command / "unroll-config.cmake");
  const fs::path build = in_build_tree ? command / "chapters" : own_folder("XDG_CACHE_HOME", ".cache") / "chapters";
  fs::create_directories(build);
  const Lock lock(build / "lock");
  const std::string of = read_if_there(build / "course.txt");
  if (of != course.folder.string()) {
    fmt::print(stderr, "(preparing the chapters: once, for half a minute or, on a busy machine, longer)\n");
    // --fresh: what is there, if anything, remembers the sources of another course, or a preparation that failed
    std::vector<std::string> configure{"--fresh", "-S", course.folder.string(), "-B", build.string()};
    configure.push_back(in_build_tree ? "-Dunroll_DIR=" + command.string()
                                      : "-DCMAKE_PREFIX_PATH=" + command.parent_path().string());
    for (const std::string& argument : generator()) configure.push_back(argument);
    run_cmake(configure);
    write_whole_file(build / "course.txt", course.folder.string());
  }
  const fs::path source = exercise.empty() ? chapter.folder / "exercise.cpp" : fs::absolute(exercise);
  const std::string include = fmt::format("#include \"{}\"\n", source.string());
  const fs::path wrapper = build / fmt::format("exercise_{}.cpp", chapter.number);
  if (read_if_there(wrapper) != include) write_whole_file(wrapper, include);
  const std::string name = target + "_" + chapter.number;
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "(building chapter {} ...)\n", chapter.number);
  run_cmake({"--build", build.string(), "--target", name});
  return build / name;
}

Progress load_progress() {
  Progress progress;
  const fs::path file = progress_file();
  if (!fs::exists(file)) return progress;
  try {
    const Json json = Json::parse(read_whole_file(file));
    json.at("read").get_to(progress.read);
    json.at("solved").get_to(progress.solved);
  } catch (const nlohmann::json::exception&) {
    throw FileError(fmt::format("{} is not what it should be, a record of finished chapters: remove it to begin anew",
                                file.string()));
  }
  return progress;
}

void mark_read(const Chapter& chapter) { mark(&Progress::read, chapter); }
void mark_solved(const Chapter& chapter) { mark(&Progress::solved, chapter); }

}  // namespace unroll::cli
