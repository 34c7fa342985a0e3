# Writes a C++ file that holds the bytes of text files: cmake -DFILES=a.txt;b.txt -DOUTPUT=embedded.cpp -P embed.cmake

set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(
  WRITE ${OUTPUT}
  "#include <unroll/examples/data.hpp>

namespace unroll::examples {

std::span<const DataFile> data_files() {
  static constexpr DataFile all[] = {
${entries}  };
  return all;
}

}  // namespace unroll::examples
")
