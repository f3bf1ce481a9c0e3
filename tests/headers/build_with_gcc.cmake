# cmake -DSOURCE=… -DTREE=… -P build_with_gcc.cmake
#
# Configures the preset `gcc` in TREE and builds it: the library, each public
# header alone, and the examples.
execute_process(
  COMMAND ${CMAKE_COMMAND} --preset gcc -B ${TREE} --log-level=WARNING
  WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
execute_process(
  COMMAND ${CMAKE_COMMAND} --build ${TREE} --parallel ${cores}
  COMMAND_ERROR_IS_FATAL ANY)
