// A whole archive as it lies on disk.
#include "archive_walk.h"
#include "fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::fuzz::walk_archive(oa::Bytes(data, data + size));
  return 0;
}
