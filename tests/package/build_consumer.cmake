# Builds consumer/ in a directory of its own: with an installed larder, and runs it; or with
# larder as a part of it, of which one folder is built, since all would take minutes.
set(work ${TREE}/package/${WAY})
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} OUTPUT_VARIABLE said ERROR_VARIABLE said
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

set(configure ${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B build
  -DCMAKE_BUILD_TYPE=Release -DEXAMPLE=${SOURCE}/examples/product_page/main.cpp)
if(WAY STREQUAL "Installed")
  run(${CMAKE_COMMAND} --install ${TREE} --prefix ${work}/prefix)
  run(${configure} -DCMAKE_PREFIX_PATH=${work}/prefix)
  run(${CMAKE_COMMAND} --build build)
  run(build/shop)
  file(READ ${SOURCE}/examples/product_page/expected.txt expected)
  if(NOT said STREQUAL expected)
    message(FATAL_ERROR "It says\n${said}instead of\n${expected}")
  endif()
  run(prefix/bin/larder --version)
else()
  run(${configure} -DLARDER_SOURCE=${SOURCE})
  run(${CMAKE_COMMAND} --build build --target larder_memory)
endif()
file(REMOVE_RECURSE ${work})
