# DuckDB 1.4.4: library and headers of one version (its C++ ABI differs between versions), from npm, checked by SHA-512.
set(OA_DUCKDB_DIR ${CMAKE_CURRENT_LIST_DIR}/../.deps/duckdb-1.4.4)
set(OA_DUCKDB_LIB_SHA512 8c14cbfd6bdfc312d3a056bfa551df4fa7a532d96d2469dcdf04aec590fd39f325b62b7d614755152dfbbc1150cd7313d59f0e5a3b528cc87eccf2b13b01cb1c)
set(OA_DUCKDB_SRC_SHA512 844249e61c9517454b8f776638ba6c5ab411d1bddde1892ab72826ea25178c72430e74aa83f5122b171be6abcdace84560f824b5ac94e9d5c2b603ea7269a9a2)

function(oa_npm_unpack spec tarball sha512 destination pattern)
  execute_process(COMMAND npm pack --silent --ignore-scripts ${spec}
                  WORKING_DIRECTORY ${destination} RESULT_VARIABLE failed OUTPUT_QUIET)
  if(failed)
    message(FATAL_ERROR "npm could not fetch ${spec}: check the npm registry settings and the network")
  endif()
  file(SHA512 ${destination}/${tarball} seen)
  if(NOT seen STREQUAL sha512)
    message(FATAL_ERROR "${tarball} has SHA-512 ${seen}, expected ${sha512}")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${destination}/${tarball} DESTINATION ${destination}
       PATTERNS ${pattern})
  file(REMOVE ${destination}/${tarball})
endfunction()

if(NOT EXISTS ${OA_DUCKDB_DIR}/package/libduckdb.so
   OR NOT EXISTS ${OA_DUCKDB_DIR}/package/src/duckdb/src/include/duckdb.hpp)
  message(STATUS "Fetching DuckDB 1.4.4")
  file(REMOVE_RECURSE ${OA_DUCKDB_DIR}.partial)
  file(MAKE_DIRECTORY ${OA_DUCKDB_DIR}.partial)
  oa_npm_unpack(@duckdb/node-bindings-linux-x64@1.4.4-r.4 duckdb-node-bindings-linux-x64-1.4.4-r.4.tgz
                ${OA_DUCKDB_LIB_SHA512} ${OA_DUCKDB_DIR}.partial package/libduckdb.so)
  oa_npm_unpack(duckdb@1.4.4 duckdb-1.4.4.tgz ${OA_DUCKDB_SRC_SHA512} ${OA_DUCKDB_DIR}.partial
                package/src/duckdb/src/include/*)
  file(REMOVE_RECURSE ${OA_DUCKDB_DIR})
  file(RENAME ${OA_DUCKDB_DIR}.partial ${OA_DUCKDB_DIR})
endif()

add_library(duckdb::duckdb SHARED IMPORTED)
set_target_properties(duckdb::duckdb PROPERTIES
  IMPORTED_LOCATION ${OA_DUCKDB_DIR}/package/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${OA_DUCKDB_DIR}/package/src/duckdb/src/include)
