#include "archive_file.h"

#include <algorithm>
#include <cstring>

#include "entry_layout.h"
#include "seek_table.h"

namespace oa::archive {
namespace {

constexpr std::uint64_t kTailSize = std::uint64_t{256} << 10;

Error refuse(ErrorCode code, std::string message) {
  return make_error(code, "archive.read", std::move(message));
}

bool begins_like_an_archive(ByteView head) {
  constexpr std::uint32_t kSkippableMask = 0xFFFFFFF0;
  const auto magic = read_le<std::uint32_t>(head);
  return magic == kZstdMagic || (magic & kSkippableMask) == (kSeekTableMagic & kSkippableMask);
}

}  // namespace

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::open(const RangedSource& source,
                                                       const Limits& limits) {
  OA_ASSERT(limits.max_expansion > 0);
  std::unique_ptr<ArchiveFile> file(new ArchiveFile(source, limits));
  OA_TRY(file->read_tail());
  OA_TRY(file->locate());
  OA_TRY(file->load_manifest_and_root());
  return file;
}

Status ArchiveFile::read_tail() {
  tail_.resize(std::min(kTailSize, source_.size()));
  return source_.read_at(source_.size() - tail_.size(), tail_);
}

// The seek table is not authenticated: a wrong one leads to bytes that do not verify.
Status ArchiveFile::locate() {
  const auto footer = read_seek_footer(tail_);
  if (!footer.ok()) {
    Bytes head(4);
    if (source_.size() < head.size()) return footer.error();
    OA_TRY(read_at(0, head));
    if (begins_like_an_archive(head)) return footer.error();
    return refuse(ErrorCode::kArchiveMalformed, "the file is not an .oa-archive");
  }
  const std::uint64_t needed =
      footer->table_size + footer->last_frame_size + footer->root_frame_size;
  if (needed > source_.size()) {
    return refuse(ErrorCode::kArchiveTruncated, "the file is shorter than its seek table says");
  }
  if (footer->last_frame_size > raw_frame_size(limits_.max_manifest_bytes)) {
    return refuse(ErrorCode::kArchiveLimit, "the manifest is larger than the limit");
  }
  if (footer->root_frame_size >
      kSkippableHeaderSize + std::uint64_t{limits_.max_index_page_bytes}) {
    return refuse(ErrorCode::kArchiveLimit, "the index root is larger than the limit");
  }
  table_offset_ = source_.size() - footer->table_size;
  manifest_offset_ = table_offset_ - footer->last_frame_size;
  root_offset_ = manifest_offset_ - footer->root_frame_size;
  return {};
}

Status ArchiveFile::load_manifest_and_root() {
  Bytes bytes(table_offset_ - root_offset_);  // both in one read
  OA_TRY(read_at(root_offset_, bytes));
  const auto root = ByteView(bytes).first(manifest_offset_ - root_offset_);
  OA_ASSIGN(manifest_, decode_manifest_frame(ByteView(bytes).subspan(root.size())));
  const auto payload = skippable_payload(root, kIndexRootMagic);
  if (!payload)
    return refuse(ErrorCode::kArchiveMalformed, "the index root is not where it belongs");
  OA_TRY(verify_manifest_signature(manifest_));
  if (blake3(*payload) != manifest().index_root) {
    return refuse(ErrorCode::kArchiveContentMismatch,
                  "the index is not the one that the manifest names");
  }
  OA_ASSIGN(root_, decode_index_root(*payload, limits_));
  if (root_.root_offset != root_offset_) {
    return refuse(ErrorCode::kArchiveMalformed, "the archive is not at the start of the file");
  }
  if (root_.entry_count != manifest().entry_count ||
      root_.content_bytes != manifest().content_bytes) {
    return refuse(ErrorCode::kArchiveMalformed, "the index and the manifest count differently");
  }
  return {};
}

Status ArchiveFile::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  const std::uint64_t tail_offset = source_.size() - tail_.size();
  if (offset < tail_offset) return source_.read_at(offset, out);
  OA_ASSERT(offset - tail_offset + out.size() <= tail_.size());
  std::ranges::copy(ByteView(tail_).subspan(offset - tail_offset, out.size()), out.begin());
  return {};
}

Result<std::shared_ptr<const IndexPage>> ArchiveFile::page(std::size_t index) const {
  const PageRecord& record = root_.pages[index];
  if (auto cached = pages_.find(record.offset)) return cached;
  Bytes frame(kSkippableHeaderSize + record.payload_size);
  OA_TRY(read_at(record.offset, frame));
  const auto payload = skippable_payload(frame, kIndexPageMagic);
  if (!payload) {
    return refuse(ErrorCode::kArchiveMalformed, "the index page that begins with " +
                                                    quoted_path(record.first_path) +
                                                    " is not where it belongs");
  }
  if (blake3(*payload) != record.digest) {
    return refuse(
        ErrorCode::kArchiveContentMismatch,
        "the index page that begins with " + quoted_path(record.first_path) + " is damaged");
  }
  const PageRecord* before = index == 0 ? nullptr : &root_.pages[index - 1];
  const std::uint64_t begin =
      before == nullptr ? 0 : before->offset + kSkippableHeaderSize + before->payload_size;
  OA_ASSIGN(auto page, decode_index_page(*payload, begin, record.offset, limits_));
  const bool last = index + 1 == root_.pages.size();
  if (page.entries.front().info.path != record.first_path ||
      (!last && page.entries.back().info.path >= root_.pages[index + 1].first_path)) {
    return refuse(ErrorCode::kArchiveMalformed,
                  "an index page holds other paths than the root says");
  }
  auto shared = std::make_shared<const IndexPage>(std::move(page));
  pages_.put(record.offset, shared);
  return shared;
}

std::size_t ArchiveFile::page_index_of(std::string_view path) const {
  const auto after = std::ranges::upper_bound(root_.pages, path, {}, &PageRecord::first_path);
  return after == root_.pages.begin() ? 0
                                      : static_cast<std::size_t>(after - root_.pages.begin()) - 1;
}

Result<std::optional<EntryPlace>> ArchiveFile::find(std::string_view path) const {
  if (root_.pages.empty()) return std::optional<EntryPlace>();
  OA_ASSIGN(auto found_page, page(page_index_of(path)));
  const auto& entries = found_page->entries;
  const auto found = std::ranges::lower_bound(
      entries, path, {}, [](const PageEntry& e) -> const std::string& { return e.info.path; });
  if (found == entries.end() || found->info.path != path) return std::optional<EntryPlace>();
  const auto index = static_cast<std::size_t>(found - entries.begin());
  return std::optional<EntryPlace>(EntryPlace{std::move(found_page), index});
}

Status ArchiveFile::read_stored(const FrameRecord& frame, Bytes& stored) const {
  stored.resize(frame.stored_size);
  return read_at(frame.offset, stored);
}

Status ArchiveFile::decompress(const FrameRecord& frame, ByteView stored, Bytes& plain) const {
  const auto refuse_frame = [&](ErrorCode code, const char* why) {
    return refuse(code, "the frame at byte " + std::to_string(frame.offset) + why);
  };
  // Ours needs no window, but what others decode is to stay within their means.
  if (window_of_frame(stored).value_or(0) > limits_.max_frame_bytes)
    return refuse_frame(ErrorCode::kArchiveLimit, " asks for a larger window than the limit");
  if (!decompress_frame(stored, frame.plain_size, plain))
    return refuse_frame(ErrorCode::kArchiveMalformed, " does not decompress to its size");
  return {};
}

Result<std::vector<ByteView>> ArchiveFile::load_frame(const FrameRecord& frame, Bytes& stored,
                                                      Bytes& plain) const {
  OA_TRY(read_stored(frame, stored));
  if (blake3(stored) != frame.digest) {
    return refuse(ErrorCode::kArchiveContentMismatch,
                  "the frame at byte " + std::to_string(frame.offset) + " is damaged");
  }
  if (raw_frame_size(frame.plain_size) == stored.size()) {
    if (auto blocks = raw_frame_blocks(stored)) return std::move(*blocks);
  }
  OA_TRY(decompress(frame, stored, plain));
  return std::vector<ByteView>{plain};
}

Result<std::shared_ptr<const Bytes>> ArchiveFile::pack_frame(const FrameRecord& frame) const {
  if (auto cached = frames_.find(frame.offset)) return cached;
  Bytes stored, plain;
  OA_ASSIGN(const auto pieces, load_frame(frame, stored, plain));
  Bytes content;
  content.reserve(frame.plain_size);
  for (const auto piece : pieces) content.insert(content.end(), piece.begin(), piece.end());
  auto shared = std::make_shared<const Bytes>(std::move(content));
  frames_.put(frame.offset, shared);
  return shared;
}

}  // namespace oa::archive
