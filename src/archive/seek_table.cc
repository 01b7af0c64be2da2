#include "seek_table.h"

#include "frame.h"

namespace oa::archive {
namespace {

constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;
constexpr std::uint32_t kMinFrames = 2;  // index root and manifest

}  // namespace

void SeekTable::add(std::size_t stored_size, std::size_t plain_size) {
  OA_ASSERT(stored_size <= UINT32_MAX && plain_size <= UINT32_MAX);
  append_le(rows_, static_cast<std::uint32_t>(stored_size));
  append_le(rows_, static_cast<std::uint32_t>(plain_size));
}

Bytes SeekTable::encode() const {
  Bytes out;
  out.reserve(kSkippableHeaderSize + rows_.size() + kSeekFooterSize);
  append_skippable_header(out, kSeekTableMagic, rows_.size() + kSeekFooterSize);
  out.insert(out.end(), rows_.begin(), rows_.end());
  append_le(out, frame_count());
  out.push_back(0);  // descriptor: no checksums
  append_le(out, kSeekableMagic);
  return out;
}

Result<SeekFooter> read_seek_footer(ByteView tail) {
  if (tail.size() < kSeekFooterSize || read_le<std::uint32_t>(tail.last(4)) != kSeekableMagic) {
    return make_error(ErrorCode::kArchiveTruncated, "archive.open",
                      "the file does not end with a seek table")
        .with_hint(
            "the file was cut short or is not an .oa-archive; copy it again from its source");
  }
  const auto footer = tail.last(kSeekFooterSize);
  SeekFooter seen;
  seen.frame_count = read_le<std::uint32_t>(footer);
  seen.table_size =
      kSkippableHeaderSize + kSeekEntrySize * std::uint64_t{seen.frame_count} + kSeekFooterSize;
  const bool rows_seen = tail.size() >= kSeekFooterSize + kMinFrames * kSeekEntrySize;
  if (footer[4] != 0 || seen.frame_count < kMinFrames || !rows_seen) {
    return make_error(ErrorCode::kArchiveMalformed, "archive.open",
                      "the seek table is not that of an archive");
  }
  const auto rows = tail.last(kSeekFooterSize + kMinFrames * kSeekEntrySize);
  seen.root_frame_size = read_le<std::uint32_t>(rows);
  seen.last_frame_size = read_le<std::uint32_t>(rows.subspan(kSeekEntrySize));
  return seen;
}

}  // namespace oa::archive
