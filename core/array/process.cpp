#include <unroll/core/array/process.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace unroll {

namespace {

// The program reads from one file and writes to two others, which vanish with their handles. (Between pipes, the two sides could wait for each other.)
struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File temporary(const std::string& program) {
  File file(std::tmpfile());
  if (!file) throw Error(fmt::format("{}: no temporary file for it: {}", program, std::strerror(errno)));
  return file;
}

std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file)) text.append(buffer.data(), n);
  return text;
}

struct Actions {
  Actions() { ::posix_spawn_file_actions_init(&list); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&list); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t list{};
};

std::vector<std::string> environment_with(const std::vector<std::string>& own) {
  std::vector<std::string> result = own;
  const auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=') + 1); };
  for (char** entry = environ; *entry; ++entry) {
    const auto replaces = [&](const std::string& mine) { return name_of(mine) == name_of(*entry); };
    if (std::none_of(own.begin(), own.end(), replaces)) result.emplace_back(*entry);
  }
  return result;
}

// As posix_spawn wants them: they live as long as the words.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  const std::string& program = command.at(0);
  Actions actions;
  std::array<File, 3> streams;
  if (options.captured) {
    for (File& stream : streams) stream = temporary(program);
    std::FILE* const in = streams[0].get();
    if (std::fwrite(options.input.data(), 1, options.input.size(), in) != options.input.size() || std::fflush(in) != 0)
      throw Error(fmt::format("{}: its input could not be written: {}", program, std::strerror(errno)));
    std::rewind(in);
    for (int i = 0; i < 3; ++i)
      ::posix_spawn_file_actions_adddup2(&actions.list, ::fileno(streams[static_cast<std::size_t>(i)].get()), i);
  }
  if (!options.folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions.list, options.folder.c_str());
  std::vector<std::string> words = command, variables = environment_with(options.environment);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, program.c_str(), &actions.list, nullptr, pointers(words).data(),
                                   pointers(variables).data());
  if (error == ENOENT) throw MissingProgram(program + ": this program is not installed");
  if (error != 0) throw Error(fmt::format("{}: it could not be started: {}", program, std::strerror(error)));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) throw Error(fmt::format("{}: it was lost: {}", program, std::strerror(errno)));
  ProcessResult result{.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), .out = {}, .err = {}};
  if (options.captured) {
    result.out = contents(streams[1].get());
    result.err = contents(streams[2].get());
  }
  return result;
}

}  // namespace unroll
