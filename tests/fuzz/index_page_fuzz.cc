// Index pages: what decodes stays within its frames and the limits, and has one encoding only.
#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "fuzz_input.h"
#include "index.h"
#include "page_encoding.h"

namespace oa::archive {
namespace {

constexpr std::uint64_t kFramesOffset = 1000;
constexpr Limits kTight{.max_path_bytes = 24,
                        .max_entry_bytes = 3 << 20,
                        .max_frame_bytes = 2 << 20,
                        .max_index_page_bytes = 512,
                        .max_expansion = 10};

// Where the frames would have to end.
std::uint64_t frames_end(ByteView payload) {
  constexpr std::size_t kRecordSize = 8 + sizeof(Blake3Digest);
  std::uint64_t end = kFramesOffset;
  if (payload.size() < 8) return end;
  const std::uint64_t count = read_le<std::uint32_t>(payload);
  payload = payload.subspan(8);
  for (std::uint64_t i = 0; i < count && payload.size() >= kRecordSize; ++i) {
    end += read_le<std::uint32_t>(payload);
    payload = payload.subspan(kRecordSize);
  }
  return end;
}

void check_frames(const IndexPage& page, std::uint64_t end, const Limits& limits) {
  std::uint64_t offset = kFramesOffset;
  for (const auto& frame : page.frames) {
    OA_ASSERT(frame.offset == offset);
    OA_ASSERT(frame.plain_size <= limits.max_frame_bytes);
    OA_ASSERT(frame.stored_size <= raw_frame_size(frame.plain_size));
    OA_ASSERT(frame.plain_size < (frame.stored_size + std::uint64_t{1}) * limits.max_expansion);
    offset += frame.stored_size;
  }
  OA_ASSERT(offset == end);
}

void check_entries(const IndexPage& page, const Limits& limits) {
  OA_ASSERT(!page.entries.empty());
  std::string_view before;
  std::uint64_t path_bytes = 0;
  for (const auto& [info, frame, offset] : page.entries) {
    OA_ASSERT(is_valid_path(info.path) && info.path > before);
    OA_ASSERT(info.path.size() <= limits.max_path_bytes && info.size <= limits.max_entry_bytes);
    std::uint64_t there = 0;
    const std::uint64_t frames = is_large(info.size) ? chunk_count(info.size) : 1;
    OA_ASSERT(frame + frames <= page.frames.size());
    for (std::uint64_t i = 0; i < frames; ++i) there += page.frames[frame + i].plain_size;
    OA_ASSERT(offset + info.size <= there);
    before = info.path;
    path_bytes += info.path.size();
  }
  OA_ASSERT(path_bytes <= limits.max_index_page_bytes);
}

void check(ByteView payload, std::uint64_t end, const Limits& limits) {
  const auto page = decode_index_page(payload, kFramesOffset, end, limits);
  if (!fuzz::accepted(page)) {
    OA_ASSERT(fuzz::is_archive_refusal(page.error().code));
    return;
  }
  check_frames(*page, end, limits);
  check_entries(*page, limits);
  OA_ASSERT(std::ranges::equal(fuzz::encode_page(*page), payload));
}

}  // namespace
}  // namespace oa::archive

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oa::archive;
  const oa::ByteView payload(data, size);
  const auto end = frames_end(payload);
  check(payload, end, {});
  check(payload, end, kTight);
  check(payload, kFramesOffset + 100, {});
  return 0;
}
