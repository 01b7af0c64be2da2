# Programs that are one file and need nothing on the machine they run on. The modules are the same for all programs; what
# decides between a shared library and its archive is the program that is linked.

# oa_linkable(NAME SHARED target ARCHIVES name...): the target link::NAME is the shared library in an ordinary program and
# the archives in a static one. Headers and definitions are the shared library's either way.
function(oa_linkable name)
  cmake_parse_arguments(ARG "" "SHARED" "ARCHIVES" ${ARGN})
  set(archives "")
  foreach(archive ${ARG_ARCHIVES})
    find_library(OA_ARCHIVE_${archive} lib${archive}.a REQUIRED)
    list(APPEND archives ${OA_ARCHIVE_${archive}})
  endforeach()
  add_library(oa_link_${name} INTERFACE)
  add_library(link::${name} ALIAS oa_link_${name})
  target_include_directories(oa_link_${name} SYSTEM INTERFACE $<TARGET_PROPERTY:${ARG_SHARED},INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(oa_link_${name} INTERFACE $<TARGET_PROPERTY:${ARG_SHARED},INTERFACE_COMPILE_DEFINITIONS>)
  target_link_libraries(oa_link_${name} INTERFACE
    "$<IF:$<BOOL:$<TARGET_PROPERTY:OA_STATIC_PROGRAM>>,${archives},${ARG_SHARED}>")
endfunction()

# Links `target` without any shared library, at a random address all the same, without code that nothing calls, and
# without symbols where debugging is not the point.
function(oa_static_program target)
  if(OA_SANITIZE)
    return()  # the sanitizers are shared libraries
  endif()
  set_target_properties(${target} PROPERTIES OA_STATIC_PROGRAM TRUE)
  target_link_options(${target} PRIVATE -static-pie -Wl,--gc-sections $<$<CONFIG:Release>:-s>)
endfunction()
