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

if(UNROLL_BUILD_COMMAND)
  install(TARGETS unroll_command)
endif()
