// Tar headers: any block can be looked at, and what is written is what is seen.
#include "entry_layout.h"
#include "fuzz_input.h"
#include "index_cursor.h"
#include "tar.h"

namespace oa::archive {
namespace {

void look(ByteView bytes) {
  const SeenHeader seen = look_at_tar_header(bytes);
  OA_ASSERT(seen.path.size() <= 4 * kTarBlock);
  OA_ASSERT(!seen.is_header || bytes.size() >= kTarBlock);
}

void write_and_look(std::string_view path, std::uint64_t size, std::uint64_t mtime) {
  Bytes header;
  append_tar_header(header, path, size, mtime);
  OA_ASSERT(header.size() == tar_header_size(path, size));
  OA_ASSERT(header.size() % kTarBlock == 0);
  const SeenHeader seen = look_at_tar_header(header);
  OA_ASSERT(seen.is_header && seen.type == '0' && seen.path == path);
}

}  // namespace
}  // namespace oa::archive

// First byte even: a header block. Odd: size (u64), mtime (u64) and path of one to be written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::archive;
  IndexCursor input(oa::ByteView(data, size));
  if (input.fixed<std::uint8_t>() % 2 == 0) {
    look(input.bytes(input.left()));
    return 0;
  }
  const auto entry_size = input.fixed<std::uint64_t>() >> 1;
  const auto mtime = input.fixed<std::uint64_t>() & kMaxUstarNumber;
  const auto path = oa::as_text(input.bytes(input.left()));
  if (is_valid_path(path)) {
    write_and_look(path, entry_size, mtime);
    write_and_look(signature_path(path), signature_size(path, entry_size), mtime);
  }
  return 0;
}
