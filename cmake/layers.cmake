# The one place that says which module may use which. docs/architecture.md draws it.
#
#   cli -> archive_cli, api
#   demo
#   api -> drill, operations, accounts, http
#   drill -> operations, accounts
#   operations -> restore, jobs, uploads
#   restore -> backup, diff
#   accounts  jobs  uploads -> catalog
#   doctor -> instance -> continuity -> wal
#   backup  diff   durability
#   privacy
#   reports -> datasets
#   catalog  wal -> postgres
#   archive  semantics  sources -> analytics -> objects -> keys -> aws
#   http -> crypto   pages
#   audit
#   crypto  console  workbooks
#   base
#
# An edge that is not listed here is a configure error, so a layer violation never builds.
set(OA_ALLOWED_base "")
set(OA_ALLOWED_crypto base)
set(OA_ALLOWED_console base)
set(OA_ALLOWED_aws base crypto)
set(OA_ALLOWED_keys base crypto aws)
set(OA_ALLOWED_objects base crypto keys aws)
set(OA_ALLOWED_archive base crypto)
set(OA_ALLOWED_archive_cli base console crypto audit archive diff)
set(OA_ALLOWED_audit base crypto)
set(OA_ALLOWED_postgres base)
set(OA_ALLOWED_catalog base crypto audit postgres)
set(OA_ALLOWED_wal base crypto keys postgres)
set(OA_ALLOWED_continuity base crypto audit keys objects postgres catalog wal)
set(OA_ALLOWED_durability base crypto audit aws keys objects catalog)
set(OA_ALLOWED_diff base crypto archive)
set(OA_ALLOWED_workbooks base)
set(OA_ALLOWED_analytics base crypto objects workbooks)
set(OA_ALLOWED_semantics base crypto)
set(OA_ALLOWED_sources base crypto analytics)
set(OA_ALLOWED_datasets base crypto audit keys objects catalog analytics semantics sources)
set(OA_ALLOWED_reports base crypto audit keys objects catalog analytics semantics datasets)
set(OA_ALLOWED_privacy base crypto audit keys objects catalog)
set(OA_ALLOWED_backup base crypto audit keys objects archive catalog privacy analytics reports)
set(OA_ALLOWED_restore base crypto audit keys objects archive catalog privacy analytics reports backup diff)
set(OA_ALLOWED_instance base crypto audit aws keys objects archive postgres catalog privacy wal continuity)
set(OA_ALLOWED_doctor base crypto audit aws keys objects catalog privacy postgres wal continuity instance durability)
set(OA_ALLOWED_http base crypto)
set(OA_ALLOWED_pages base)
set(OA_ALLOWED_accounts base crypto audit catalog)
set(OA_ALLOWED_jobs base crypto audit catalog)
set(OA_ALLOWED_uploads base crypto audit keys objects catalog)
set(OA_ALLOWED_operations base crypto audit keys objects archive catalog privacy postgres wal continuity analytics semantics sources datasets reports instance backup diff restore jobs uploads durability)
set(OA_ALLOWED_drill base crypto audit keys objects archive catalog privacy postgres wal continuity analytics semantics sources datasets reports instance backup diff restore jobs uploads accounts operations durability)
set(OA_ALLOWED_api base crypto audit keys objects archive catalog privacy postgres wal continuity analytics semantics sources datasets reports instance backup diff restore http pages accounts jobs uploads operations durability drill)
set(OA_ALLOWED_demo base crypto audit keys objects archive catalog privacy postgres wal continuity analytics semantics sources datasets reports instance backup restore)
set(OA_ALLOWED_cli base console crypto audit keys objects archive catalog privacy postgres wal continuity analytics semantics sources datasets reports instance backup restore diff http accounts jobs uploads operations api demo archive_cli doctor durability drill)

# oa_module(NAME USES module... LIBS target... SOURCES file...)
# One static library and one include root per module. LIBS (third-party) are always private to the module;
# VOCABULARY libraries (their types may appear in our headers) are public and need an ADR.
function(oa_module name)
  cmake_parse_arguments(ARG "" "" "USES;LIBS;VOCABULARY;SOURCES" ${ARGN})
  add_library(oa_${name} STATIC ${ARG_SOURCES})
  add_library(oa::${name} ALIAS oa_${name})
  target_include_directories(oa_${name} PUBLIC include)
  foreach(used ${ARG_USES})
    if(NOT used IN_LIST OA_ALLOWED_${name})
      message(FATAL_ERROR "Layer violation: ${name} may not use ${used} (cmake/layers.cmake)")
    endif()
    target_link_libraries(oa_${name} PUBLIC oa::${used})
  endforeach()
  target_link_libraries(oa_${name} PRIVATE ${ARG_LIBS})
  target_link_libraries(oa_${name} PUBLIC ${ARG_VOCABULARY})
endfunction()

# What tests and command lines do themselves takes no time worth a third of their compile time.
function(oa_compile_quickly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# oa_test(NAME module SOURCES file... LIBS target...): unit tests beside the code of a module.
function(oa_test module)
  cmake_parse_arguments(ARG "" "" "LIBS;SOURCES" ${ARGN})
  if(NOT OA_BUILD_TESTS)
    return()
  endif()
  add_executable(oa_${module}_test ${ARG_SOURCES})
  target_link_libraries(oa_${module}_test PRIVATE oa::${module} GTest::gtest_main ${ARG_LIBS})
  oa_compile_quickly(oa_${module}_test)
  gtest_discover_tests(oa_${module}_test TEST_PREFIX "${module}." DISCOVERY_TIMEOUT 30
                       PROPERTIES TIMEOUT 300)
endfunction()
