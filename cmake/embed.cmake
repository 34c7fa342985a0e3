# Writes a C++ file that holds the bytes of text files, and defines the function that gives them:
#
#   cmake -DFILES=a.txt;b.txt -DHEADER=unroll/examples/data.hpp -DNAMESPACE=unroll::examples -DTYPE=DataFile -DFUNCTION=data_files
#         -DOUTPUT=embedded.cpp -P embed.cmake
#
# The header declares a struct TYPE of two std::string_view, name and text, and `std::span<const TYPE> FUNCTION();`.

set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(FIND "${text}" ")embedded\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${file} holds )embedded\", which ends the text in the C++ file that it is built into")
  endif()
  string(APPEND entries "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(
  WRITE ${OUTPUT}
  "#include <${HEADER}>

namespace ${NAMESPACE} {

std::span<const ${TYPE}> ${FUNCTION}() {
  static constexpr ${TYPE} all[] = {
${entries}  };
  return all;
}

}  // namespace ${NAMESPACE}
")
