# What `cmake --install` puts where, and the CMake package, which serves from the build folder as well (-Dunroll_DIR=build/release).

include(CMakePackageConfigHelpers)

set(unroll_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/unroll)
configure_file(cmake/unroll-config.cmake.in ${PROJECT_BINARY_DIR}/unroll-config.cmake @ONLY)
# Before 1.0, a new minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/unroll-config-version.cmake COMPATIBILITY SameMinorVersion)
install(TARGETS unroll EXPORT unroll-targets)
if(TARGET unroll_course)
  install(TARGETS unroll_course EXPORT unroll-targets)
  install(DIRECTORY tutorials/ DESTINATION ${CMAKE_INSTALL_DATADIR}/unroll/tutorials)
  # what chapter 17 reads
  install(FILES data/night-train.txt data/night-train-ko.txt DESTINATION ${CMAKE_INSTALL_DATADIR}/unroll/data)
endif()
export(EXPORT unroll-targets NAMESPACE unroll:: FILE ${PROJECT_BINARY_DIR}/unroll-targets.cmake)
install(EXPORT unroll-targets NAMESPACE unroll:: DESTINATION ${unroll_package_folder})
install(FILES ${PROJECT_BINARY_DIR}/unroll-config.cmake ${PROJECT_BINARY_DIR}/unroll-config-version.cmake DESTINATION ${unroll_package_folder})

# The same include lines as in the tree. Left out is what only the library's own sources include, and what needs more than xtensor and fmt.
install(FILES include/unroll/unroll.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/unroll)
install(
  DIRECTORY core layers optim
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/unroll
  FILES_MATCHING
  PATTERN "*.hpp"
  PATTERN "page" EXCLUDE
  PATTERN "graphviz_order.hpp" EXCLUDE
  PATTERN "page_drawing.hpp" EXCLUDE
  PATTERN "json_value.hpp" EXCLUDE)


# For pkg-config. The library is static, so that what it uses is linked by its users: no --static needed.
set(unroll_pkgconfig_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH unroll_prefix_from_pkgconfig /${unroll_pkgconfig_folder} /)
string(REGEX REPLACE "/$" "" unroll_prefix_from_pkgconfig ${unroll_prefix_from_pkgconfig})
list(JOIN unroll_graphviz_modules " " unroll_graphviz_words)
list(JOIN unroll_rsvg_modules " " unroll_rsvg_words)
set(unroll_blas_flags ${BLAS_LIBRARIES} ${LAPACK_LIBRARIES})
list(TRANSFORM unroll_blas_flags REPLACE "^.*/lib([^/]+)\\.(so|a)$" "-l\\1")
list(REMOVE_DUPLICATES unroll_blas_flags)
list(JOIN unroll_blas_flags " " unroll_blas_flags)
configure_file(cmake/unroll.pc.in ${PROJECT_BINARY_DIR}/unroll.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/unroll.pc DESTINATION ${unroll_pkgconfig_folder})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# The command, and what it says of itself: cli/CMakeLists.txt.
if(UNROLL_BUILD_COMMAND)
  install(TARGETS unroll_command)
  install(FILES ${unroll_command_documents}/unroll.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${unroll_command_documents}/unroll.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME unroll)
  set(unroll_zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(unroll_zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions) # Debian's zsh looks here for what packages bring
  endif()
  install(FILES ${unroll_command_documents}/unroll.zsh DESTINATION ${unroll_zsh_folder} RENAME _unroll)
  install(FILES ${unroll_command_documents}/unroll.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
