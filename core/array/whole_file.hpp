#pragma once

#include <unroll/core/array/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace unroll {

// A file that cannot be read or written, or does not hold what it should. what() names the file and says what to do.
class FileError : public Error {
 public:
  using Error::Error;
};

// All bytes of an ordinary file. Throws FileError with the reason.
std::string read_whole_file(const std::filesystem::path& file);

// Writes a file that appears complete or not at all: the bytes go to a temporary file beside it, which then takes its name. Missing folders
// on the way are made. Throws FileError with the reason, and leaves nothing behind.
void write_whole_file(const std::filesystem::path& file, std::string_view bytes);

// Throws FileError if write_whole_file could not write this file now. Long work asks before it begins.
void require_writable(const std::filesystem::path& file);

}  // namespace unroll
