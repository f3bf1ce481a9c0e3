# cmake -DPROGRAM=… -DEXPECTED=… -P run_example.cmake
#
# Runs an example in an empty directory; it must succeed and print what the file
# EXPECTED holds.
string(RANDOM LENGTH 12 unique)
get_filename_component(name ${PROGRAM} NAME)
set(directory ${PROGRAM}.${unique})
file(MAKE_DIRECTORY ${directory})
execute_process(COMMAND ${PROGRAM} WORKING_DIRECTORY ${directory}
  OUTPUT_VARIABLE printed ERROR_VARIABLE complained RESULT_VARIABLE result)
file(REMOVE_RECURSE ${directory})

if(NOT result EQUAL 0)
  message(FATAL_ERROR "${name} ended with ${result}\n${printed}${complained}")
endif()
file(READ ${EXPECTED} expected)
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${name} printed\n${printed}\nand not what ${EXPECTED} says:\n${expected}")
endif()
