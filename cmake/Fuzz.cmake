# larder_fuzz(NAME SOURCES … DEPENDS …)
#
# One parser fed with hostile bytes. The sources define LLVMFuzzerTestOneInput,
# which throws Violation (fuzz/check.hpp) where a promise is broken. It becomes
#   replay_NAME  a quick test: the corpus and some thousands of seeded mutations;
#   fuzz_NAME    the libFuzzer program, with LARDER_FUZZ (`./dev fuzz NAME`).
# The corpus is kept in corpus/NAME beside the caller: small files, each with a
# reason to be there.
function(larder_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  larder_test(replay_${name} SOURCES ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.cpp
    DEPENDS ${ARG_DEPENDS})
  target_compile_definitions(replay_${name} PRIVATE
    FUZZ_TARGET="${name}" FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")

  if(LARDER_FUZZ)
    list(TRANSFORM ARG_DEPENDS PREPEND larder_)
    add_executable(fuzz_${name} ${ARG_SOURCES})
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPENDS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()
