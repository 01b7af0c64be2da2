set(OA_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
if(OA_SANITIZE)
  add_compile_options(-fsanitize=${OA_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${OA_SANITIZE})
endif()
if(OA_FUZZ)
  # Coverage for libFuzzer in everything; a finding ends the process.
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
endif()
