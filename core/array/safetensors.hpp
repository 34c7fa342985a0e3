#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/whole_file.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// The contents of a safetensors file (https://github.com/huggingface/safetensors): named arrays, and notes about them. The format is
// eight bytes with the length of a JSON header, the header, and the elements. float32 and float64 are read; nothing in a file is executed.
struct SafeTensors {
  // An array and its name.
  struct Entry {
    std::string name;  // of the array
    Array array;       // float32 or float64
  };
  std::vector<Entry> arrays;                    // in the order of the file
  std::map<std::string, std::string> metadata;  // notes about them: text by name

  // nullptr if there is none of this name.
  const Array* find(std::string_view name) const;
};

// The bytes of a file with these contents.
std::string safetensors_bytes(const SafeTensors& contents);
// The contents of such bytes. Checks everything before it believes it: lengths, offsets, shapes, types. Throws FileError with what is wrong;
// `what` is the name of the file in messages.
SafeTensors parse_safetensors(std::string_view bytes, std::string_view what = "safetensors");

// Writes a file, whole or not at all. Throws FileError if it cannot be written.
void save_safetensors(const std::filesystem::path& file, const SafeTensors& contents);
// Reads a file. Throws FileError if it cannot be read or is damaged.
SafeTensors load_safetensors(const std::filesystem::path& file);

}  // namespace unroll
