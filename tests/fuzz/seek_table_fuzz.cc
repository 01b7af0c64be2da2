// The seek table: what is read at the end of a file is what stands there.
#include <algorithm>

#include "frame.h"
#include "fuzz_input.h"
#include "seek_table.h"

namespace oa::archive {
namespace {

void read_any(ByteView tail) {
  const auto footer = read_seek_footer(tail);
  if (!fuzz::accepted(footer)) {
    OA_ASSERT(fuzz::is_archive_refusal(footer.error().code));
    return;
  }
  OA_ASSERT(footer->frame_count >= 2);
  if (footer->table_size > tail.size()) return;
  const auto rows = skippable_payload(tail.last(footer->table_size), kSeekTableMagic);
  if (!rows) return;
  SeekTable table;
  for (std::size_t i = 0; i < footer->frame_count; ++i) {
    const auto row = rows->subspan(i * kSeekEntrySize);
    table.add(read_le<std::uint32_t>(row), read_le<std::uint32_t>(row.subspan(4)));
  }
  OA_ASSERT(std::ranges::equal(table.encode(), tail.last(footer->table_size)));
}

void write_and_read(ByteView rows) {
  SeekTable table;
  std::vector<std::uint32_t> stored;
  for (; rows.size() >= kSeekEntrySize; rows = rows.subspan(kSeekEntrySize)) {
    stored.push_back(read_le<std::uint32_t>(rows));
    table.add(stored.back(), read_le<std::uint32_t>(rows.subspan(4)));
  }
  const Bytes encoded = table.encode();
  const auto footer = read_seek_footer(encoded);
  OA_ASSERT(footer.ok() == (stored.size() >= 2));
  if (!footer.ok()) return;
  OA_ASSERT(footer->table_size == encoded.size() && footer->frame_count == stored.size());
  OA_ASSERT(footer->last_frame_size == stored.back());
  OA_ASSERT(footer->root_frame_size == stored[stored.size() - 2]);
}

}  // namespace
}  // namespace oa::archive

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  oa::archive::read_any({data, size});
  oa::archive::write_and_read({data, size});
  return 0;
}
