# The Debian package: cmake --preset package && cmake --build --preset package && (cd build/package && cpack)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The unroll authors" CACHE STRING "Who answers for the package: NAME <ADDRESS>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "recurrent networks and BPTT, seen from inside")
set(CPACK_PACKAGE_DESCRIPTION
    "A small automatic differentiation engine in C++20 that writes every
operation of an unrolled RNN, LSTM or GRU down on a tape, so that it can be
listed, drawn, read as equations, and checked against finite differences.
The package holds the command, the static library with its headers, CMake
package and pkg-config file, and the course with its exercises.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The command runs without these. Programs built with the library need them, and so do the exercises of the course, which the command builds.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "g++, cmake, make, pkg-config, libxtensor-dev, libfmt-dev, libopenblas-dev, libgraphviz-dev, librsvg2-dev, fonts-dejavu-core, gnuplot-nox")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fonts-nanum")
# What Debian asks of the files in a package, and a refusal where they would run on this machine only.
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_BINARY_DIR}/package-checks.cmake)
file(CONFIGURE OUTPUT ${CPACK_PROJECT_CONFIG_FILE} CONTENT [[
if("@UNROLL_NATIVE@" OR NOT "@CMAKE_INSTALL_PREFIX@" STREQUAL "/usr")
  message(FATAL_ERROR "A package is for other machines, too, and goes to /usr. Build it with: cmake --preset package && cmake --build --preset package")
endif()
]] @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_files.cmake)
include(CPack)
