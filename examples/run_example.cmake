# cmake -DPROGRAM=… -DEXPECTED=… [-DREDIS=TRUE] -P run_example.cmake
#
# Runs an example in an empty directory; it must succeed and print what the file
# EXPECTED holds. With REDIS it is given the URL of a Redis of its own.
string(RANDOM LENGTH 12 unique)
get_filename_component(name ${PROGRAM} NAME)
set(directory ${PROGRAM}.${unique})
file(MAKE_DIRECTORY ${directory})

set(arguments)
if(REDIS)
  find_program(redis_server redis-server)
  find_program(redis_cli redis-cli)
  if(NOT redis_server OR NOT redis_cli)
    file(REMOVE_RECURSE ${directory})
    message("skipped: redis-server is not installed")
    return()
  endif()
  set(socket /tmp/larder-${unique}.sock)  # the path of one is short
  execute_process(
    COMMAND ${redis_server} --daemonize yes --port 0 --unixsocket ${socket} --save "" --dir ${directory}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  set(arguments unix://${socket})
endif()
execute_process(COMMAND ${PROGRAM} ${arguments} WORKING_DIRECTORY ${directory} TIMEOUT 50
  OUTPUT_VARIABLE printed ERROR_VARIABLE complained RESULT_VARIABLE result)
if(REDIS)
  execute_process(COMMAND ${redis_cli} -s ${socket} SHUTDOWN NOSAVE OUTPUT_QUIET ERROR_QUIET)
endif()
file(REMOVE_RECURSE ${directory})

if(NOT result EQUAL 0)
  message(FATAL_ERROR "${name} ended with ${result}\n${printed}${complained}")
endif()
file(READ ${EXPECTED} expected)
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${name} printed\n${printed}\nand not what ${EXPECTED} says:\n${expected}")
endif()
