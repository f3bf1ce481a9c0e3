find_package(benchmark REQUIRED)

# larder_bench(NAME SOURCES … DEPENDS … [LINKS …])
#
# One benchmark program, one question; `./dev bench NAME` runs it. Its shortest
# form is one of the quick tests, so that it cannot rot.
function(larder_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  list(TRANSFORM ARG_DEPENDS PREPEND larder_)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} ${ARG_LINKS} benchmark::benchmark_main)
  add_test(NAME bench.${name} COMMAND ${name} --benchmark_min_time=0.001)
  set_tests_properties(bench.${name} PROPERTIES LABELS quick TIMEOUT 120)
endfunction()
