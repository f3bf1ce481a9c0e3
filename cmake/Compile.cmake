# How every file of larder is compiled.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS")

add_library(larder_compile INTERFACE)
target_compile_features(larder_compile INTERFACE cxx_std_23)
target_include_directories(larder_compile INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
# Asio: no deprecated names, and the separately defined pieces stay header-only.
target_compile_definitions(larder_compile INTERFACE BOOST_ASIO_NO_DEPRECATED)
# What is larder's own affair, and not that of a project that larder is a part of.
if(PROJECT_IS_TOP_LEVEL)
  set(warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND warnings -Wthread-safety)
  else()
    # g++ 12 warns of moved-from optionals that it cannot follow, inside its own headers, and
    # of Asio's operators new and delete for coroutines, of which it inlines one alone.
    list(APPEND warnings -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
  endif()
  target_compile_options(larder_compile INTERFACE "$<BUILD_INTERFACE:${warnings}>")
  target_include_directories(larder_compile INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
endif()

if(LARDER_SANITIZE)
  add_compile_options(-fsanitize=${LARDER_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LARDER_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()
if(LARDER_FUZZ)
  # Coverage feedback for everything; only the fuzz targets link libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
