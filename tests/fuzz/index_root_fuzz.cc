// The index root: what decodes is within its limits and encodes to the same bytes.
#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "index.h"

namespace oa::archive {
namespace {

constexpr Limits kTight{.max_entries = 1000, .max_path_bytes = 24, .max_index_page_bytes = 4096};

void check(ByteView payload, const Limits& limits) {
  const auto root = decode_index_root(payload, limits);
  if (!fuzz::accepted(root)) {
    OA_ASSERT(fuzz::is_archive_refusal(root.error().code));
    return;
  }
  OA_ASSERT(std::ranges::equal(encode_index_root(*root), payload));
  OA_ASSERT(root->entry_count <= limits.max_entries);
  std::uint64_t end = 0;
  std::string_view path;
  for (const auto& page : root->pages) {
    OA_ASSERT(page.offset > end && page.offset < root->root_offset);
    OA_ASSERT(page.payload_size <= limits.max_index_page_bytes);
    OA_ASSERT(is_valid_path(page.first_path) && page.first_path.size() <= limits.max_path_bytes);
    OA_ASSERT(page.first_path > path);
    path = page.first_path;
    end = page.offset + kSkippableHeaderSize + page.payload_size;
  }
  OA_ASSERT(end == root->root_offset);
}

}  // namespace
}  // namespace oa::archive

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::archive::check({data, size}, {});
  oa::archive::check({data, size}, oa::archive::kTight);
  return 0;
}
