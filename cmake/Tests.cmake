include(GoogleTest)
find_package(GTest REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# larder_test(NAME SOURCES … DEPENDS … [LABEL quick|long] [TIMEOUT seconds] [TOGETHER])
#
# One test program; each of its tests is one of ctest's. They run in parallel
# and in any order, so each brings its own ports and directories. TOGETHER: the
# program is one of ctest's, since its tests share a server that is slow to start.
function(larder_test name)
  cmake_parse_arguments(ARG "TOGETHER" "LABEL;TIMEOUT" "SOURCES;DEPENDS;LINKS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL quick)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  list(TRANSFORM ARG_DEPENDS PREPEND larder_)
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  if(ARG_TOGETHER)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
