# Debian 12 packages, pinned by the distribution; versions here are lower bounds that its release satisfies.
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5.4)
# Workbooks: .xlsx is XML in a zip archive.
find_package(EXPAT 2.5 REQUIRED)
find_package(ZLIB 1.2.13 REQUIRED)

# BLAKE3: the official C implementation, which LLVM exports as a C API of its own (docs/adr/0005).
find_path(OA_BLAKE3_INCLUDE llvm-c/blake3.h PATHS /usr/lib/llvm-16/include NO_DEFAULT_PATH REQUIRED)
find_library(OA_BLAKE3_LIBRARY libLLVMSupport.a PATHS /usr/lib/llvm-16/lib NO_DEFAULT_PATH REQUIRED)
add_library(blake3::blake3 STATIC IMPORTED)
set_target_properties(blake3::blake3 PROPERTIES IMPORTED_LOCATION ${OA_BLAKE3_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${OA_BLAKE3_INCLUDE})

include(${CMAKE_CURRENT_LIST_DIR}/static.cmake)
oa_linkable(openssl SHARED OpenSSL::Crypto ARCHIVES crypto)
oa_linkable(sodium SHARED PkgConfig::SODIUM ARCHIVES sodium)
oa_linkable(zstd SHARED PkgConfig::ZSTD ARCHIVES zstd)
oa_linkable(json SHARED Boost::json ARCHIVES boost_json)

find_package(fmt 9.1 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)

if(OA_FUZZ)
  return()  # what base, crypto, archive and semantics need is there
endif()

find_package(CLI11 2.1 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(CURL 7.85 REQUIRED)  # the REST API of Patroni, services of AWS
# Tokens: the header alone; modules are loaded at run time.
find_path(OA_PKCS11_INCLUDE p11-kit/pkcs11.h PATH_SUFFIXES p11-kit-1 REQUIRED)
add_library(pkcs11::headers INTERFACE IMPORTED)
set_target_properties(pkcs11::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${OA_PKCS11_INCLUDE})
include(${CMAKE_CURRENT_LIST_DIR}/duckdb.cmake)
