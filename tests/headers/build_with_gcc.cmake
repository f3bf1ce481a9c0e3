# cmake -DSOURCE=… -DTREE=… -P build_with_gcc.cmake
#
# Configures the preset `gcc` in TREE and builds it: the library, each public
# header alone, and the examples.
execute_process(
  COMMAND ${CMAKE_COMMAND} --preset gcc -B ${TREE} --log-level=WARNING
  WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
# As the build presets have it: paths within the sources do not tell objects apart.
set(ENV{CCACHE_BASEDIR} ${SOURCE})
set(ENV{CCACHE_NOHASHDIR} 1)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
execute_process(
  COMMAND ${CMAKE_COMMAND} --build ${TREE} --parallel ${cores}
  COMMAND_ERROR_IS_FATAL ANY)
