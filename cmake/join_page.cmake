# Joins the files of the interactive page: cmake -DFOLDER=core/render/page -DOUTPUT=folder -P join_page.cmake
#
# page.js holds the modules that order.txt names, in that order, as one module: imports and the word `export` are left out, so that all top-level names must differ.
# page.css holds the style sheets in alphabetical order, page.html is the template as it is.

cmake_policy(SET CMP0057 NEW)  # if(IN_LIST)

function(fail why)
  message(FATAL_ERROR "the page in ${FOLDER}: ${why}")
endfunction()

# A closing tag would end the element that the text is put into, and a comment changes what ends a script.
function(write_part name text tag)
  string(TOLOWER "${text}" lower)
  foreach(mark "</${tag}" "<!--")
    string(FIND "${lower}" "${mark}" end)
    if(NOT end EQUAL -1)
      fail("${name} holds ${mark}, which must not stand in a <${tag}>: write it in two parts")
    endif()
  endforeach()
  file(WRITE ${OUTPUT}/${name} "${text}")
endfunction()

# ---- the modules

file(STRINGS ${FOLDER}/order.txt order)
file(GLOB present RELATIVE ${FOLDER} ${FOLDER}/*.js)
foreach(name IN LISTS present)
  if(NOT name IN_LIST order)
    fail("${name} has no line in order.txt")
  endif()
endforeach()

set(joined "")
foreach(name IN LISTS order)
  if(NOT name IN_LIST present)
    fail("order.txt names ${name}, and there is no such file")
  endif()
  file(READ ${FOLDER}/${name} text)
  set(text "\n${text}")
  string(REGEX REPLACE "\nimport { [^\n{}]* } from \"\\./[^\n\"]*\";" "" text "${text}")
  string(REGEX REPLACE "\nexport (async function|function|class|const|let) " "\n\\1 " text "${text}")
  string(REGEX MATCH "\n(import|export)[ {*][^\n]*" left "${text}")
  if(left)
    string(STRIP "${left}" left)
    fail("${name} holds a line that cannot be joined: ${left}")
  endif()
  string(APPEND joined "${text}")
endforeach()
write_part(page.js "${joined}" script)

# ---- the style sheets and the template

file(GLOB sheets ${FOLDER}/*.css)
list(SORT sheets)
set(joined "")
foreach(sheet IN LISTS sheets)
  file(READ ${sheet} text)
  string(APPEND joined "${text}")
endforeach()
write_part(page.css "${joined}" style)

file(READ ${FOLDER}/page.html text)
foreach(mark title css js model)
  string(FIND "${text}" "<!-- ${mark} -->" first)
  string(FIND "${text}" "<!-- ${mark} -->" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    fail("page.html needs the mark <!-- ${mark} --> once")
  endif()
endforeach()
file(WRITE ${OUTPUT}/page.html "${text}")
