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
  struct Entry {
    std::string name;
    Array array;
  };
  std::vector<Entry> arrays;
  std::map<std::string, std::string> metadata;

  // nullptr if there is none of this name.
  const Array* find(std::string_view name) const;
};

// The bytes of a file, and back. Reading checks everything before it believes it: lengths, offsets, shapes, types. Throws FileError with
// what is wrong; `what` is the name of the file in messages.
std::string safetensors_bytes(const SafeTensors& contents);
SafeTensors parse_safetensors(std::string_view bytes, std::string_view what = "safetensors");

void save_safetensors(const std::filesystem::path& file, const SafeTensors& contents);
SafeTensors load_safetensors(const std::filesystem::path& file);

}  // namespace unroll
