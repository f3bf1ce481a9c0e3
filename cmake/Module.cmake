# larder_module(NAME [HEADER_ONLY] [HEADERS …] SOURCES … DEPENDS … LINKS …)
#
# One folder of src/ as one target, larder_NAME. DEPENDS names the folders that
# it may see; the list is the architecture, so keep it short and downwards.
# HEADERS names the public headers (in include/larder/) that the folder stands
# behind; they may see what it may see. tests/architecture checks both.
# LINKS names outside libraries.
function(larder_module name)
  cmake_parse_arguments(ARG "HEADER_ONLY" "" "HEADERS;SOURCES;DEPENDS;LINKS" ${ARGN})
  list(TRANSFORM ARG_DEPENDS PREPEND larder_)
  if(ARG_HEADER_ONLY)
    add_library(larder_${name} INTERFACE)
    target_link_libraries(larder_${name} INTERFACE larder_compile ${ARG_DEPENDS} ${ARG_LINKS})
  else()
    add_library(larder_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(larder_${name} PUBLIC larder_compile ${ARG_DEPENDS} ${ARG_LINKS})
    target_include_directories(larder_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  endif()
  add_library(larder::${name} ALIAS larder_${name})
  set_target_properties(larder_${name} PROPERTIES EXPORT_NAME ${name})
endfunction()
