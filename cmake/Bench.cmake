find_package(benchmark REQUIRED)

# larder_bench(NAME SOURCES … DEPENDS … [LINKS …] [SHORT argument…])
#
# One benchmark program; `./dev bench NAME` runs it. Its shortest form is one of
# the quick tests, so that it cannot rot. One that has a main() of its own says
# with which arguments it is short.
function(larder_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINKS;SHORT" ${ARGN})
  list(TRANSFORM ARG_DEPENDS PREPEND larder_)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_LINKS})
  if(NOT ARG_SHORT)
    target_link_libraries(${name} PRIVATE benchmark::benchmark_main)
    set(ARG_SHORT --benchmark_min_time=0.001)
  endif()
  add_test(NAME bench.${name} COMMAND ${name} ${ARG_SHORT})
  set_tests_properties(bench.${name} PROPERTIES LABELS quick TIMEOUT 120)
endfunction()
