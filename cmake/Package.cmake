# The library as other projects use it: the target larder::larder, from
# find_package(larder) after `cmake --install`, or from add_subdirectory().
set(LARDER_LIBRARY base runtime memory codec sqlite postgres behind resp tls pipeline redis memcached shared
  cache behind_cache)
list(TRANSFORM LARDER_LIBRARY PREPEND larder_)

add_library(larder_library INTERFACE)
target_link_libraries(larder_library INTERFACE ${LARDER_LIBRARY})
add_library(larder::larder ALIAS larder_library)
set_target_properties(larder_library PROPERTIES EXPORT_NAME larder)

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/larder)
install(TARGETS larder_library larder_compile ${LARDER_LIBRARY} EXPORT larder)
install(EXPORT larder NAMESPACE larder:: FILE larderTargets.cmake DESTINATION ${package})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/larder DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/larderConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)  # before 1.0.0 a minor version may change the interface
install(FILES ${PROJECT_SOURCE_DIR}/cmake/larderConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/larderConfigVersion.cmake DESTINATION ${package})
