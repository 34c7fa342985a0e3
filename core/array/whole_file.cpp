#include <unroll/core/array/whole_file.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

namespace unroll {

namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::string reason(int error) { return std::strerror(error); }

[[noreturn]] void cannot_write(const fs::path& file, const std::string& why) {
  throw FileError(fmt::format("cannot write {}: {}", file.string(), why));
}

// A file beside the one that is meant, which goes away again unless it took that one's name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target) : target_(target) {
    if (target.filename().empty()) cannot_write(target, "this is the name of a folder: add the name of a file");
    std::error_code error;
    if (fs::is_directory(target, error)) cannot_write(target, "there is a folder of that name");
    error.clear();  // a file that does not exist yet counts as an error there
    if (target.has_parent_path()) fs::create_directories(target.parent_path(), error);
    if (error) cannot_write(target, error.message());
    // the number of the process, so that two of them do not write into one file
    path_ = target;
    path_ += fmt::format(".{}.part", ::getpid());
    file_.reset(std::fopen(path_.c_str(), "wb"));
    if (!file_) cannot_write(target, reason(errno));
  }
  ~TemporaryFile() {
    file_.reset();
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) cannot_write(target_, reason(errno));
  }

  void take_name() {
    // a full disk may show only now
    if (std::fclose(file_.release()) != 0) cannot_write(target_, reason(errno));
    std::error_code error;
    fs::rename(path_, target_, error);
    if (error) cannot_write(target_, error.message());
    path_.clear();
  }

 private:
  fs::path target_, path_;
  File file_;
};

// The file behind a link, also where there is none yet.
fs::path behind_links(fs::path file) {
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(file, error)); ++links) {
    const fs::path target = fs::read_symlink(file, error);
    if (error) cannot_write(file, error.message());
    if (links == 40) cannot_write(file, "its links lead in a circle");
    file = target.is_absolute() ? target : file.parent_path() / target;
  }
  return file;
}

}  // namespace

std::string read_whole_file(const fs::path& file) {
  const auto fail = [&](const std::string& why) {
    throw FileError(fmt::format("cannot read {}: {}", file.string(), why));
  };
  std::error_code error;
  if (fs::is_directory(file, error)) fail("it is a folder, not a file");
  const File handle(std::fopen(file.c_str(), "rb"));
  if (!handle) fail(reason(errno));
  std::string bytes;
  char buffer[65536];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, handle.get())) bytes.append(buffer, n);
  if (std::ferror(handle.get())) fail(reason(errno));
  return bytes;
}

void write_whole_file(const fs::path& file, std::string_view bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) {
    // a pipe or a device, such as /dev/stdout: there is nothing to keep whole, and it must stay what it is
    const File handle(std::fopen(file.c_str(), "wb"));
    if (!handle || std::fwrite(bytes.data(), 1, bytes.size(), handle.get()) != bytes.size() ||
        std::fflush(handle.get()) != 0)
      cannot_write(file, reason(errno));
    return;
  }
  TemporaryFile temporary(behind_links(file));
  temporary.write(bytes);
  temporary.take_name();
}

void require_writable(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) return;
  const TemporaryFile temporary(behind_links(file));
}

}  // namespace unroll
