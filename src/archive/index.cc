#include "index.h"

#include <algorithm>

#include "entry_layout.h"
#include "frame.h"
#include "index_cursor.h"

namespace oa::archive {
namespace {

constexpr std::string_view kRootTag = "OAINDEX1";
constexpr std::size_t kFrameRecordSize = 4 + 4 + sizeof(Blake3Digest);
constexpr std::size_t kSmallestEntry =
    5 + 1 + sizeof(Blake2bDigest);  // five one-byte numbers, a path, a digest
constexpr std::size_t kSmallestPageRecord = 8 + 4 + sizeof(Blake3Digest) + 2 + 1;

Error malformed(std::string message) {
  return make_error(ErrorCode::kArchiveMalformed, "archive.index", std::move(message));
}

Error over_limit(std::string message) {
  return make_error(ErrorCode::kArchiveLimit, "archive.index", std::move(message));
}

void append_bytes(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

Status check_frames(const std::vector<FrameRecord>& frames, std::uint64_t stored_bytes,
                    const Limits& limits) {
  std::uint64_t sum = 0;
  for (const auto& frame : frames) {
    sum += frame.stored_size;
    if (frame.plain_size > limits.max_frame_bytes)
      return over_limit("a frame is larger than the limit");
    if (frame.plain_size > limits.max_expansion * frame.stored_size) {
      return over_limit("a frame expands more than the limit allows");
    }
    if (frame.stored_size > raw_frame_size(frame.plain_size))
      return malformed("a frame is larger than its content");
  }
  if (sum != stored_bytes) return malformed("the frames of an index page do not fill their place");
  return {};
}

// The chunks of a large entry must lie in this page and have the sizes that its size implies.
bool has_its_chunks(const PageEntry& entry, const std::vector<FrameRecord>& frames) {
  const std::uint64_t count = chunk_count(entry.info.size);
  if (entry.offset != 0 || entry.frame >= frames.size() || count > frames.size() - entry.frame)
    return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto expected = std::min<std::uint64_t>(kChunkSize, entry.info.size - i * kChunkSize);
    if (frames[entry.frame + i].plain_size != expected) return false;
  }
  return true;
}

bool lies_in_frame(const PageEntry& entry, const std::vector<FrameRecord>& frames) {
  if (entry.frame >= frames.size()) return false;
  const std::uint64_t plain_size = frames[entry.frame].plain_size;
  return entry.offset <= plain_size && entry.info.size <= plain_size - entry.offset;
}

Error not_in_frame(const PageEntry& entry) {
  return make_error(ErrorCode::kArchiveEntryMissing, "archive.index",
                    quoted_path(entry.info.path) + " is listed but not in its frame");
}

Result<PageEntry> decode_entry(IndexCursor& cursor, const PageEntry& previous,
                               const std::vector<FrameRecord>& frames, const Limits& limits) {
  PageEntry entry;
  const std::uint64_t frame = previous.frame + cursor.varint();
  const std::uint64_t offset = cursor.varint();
  const std::uint64_t shared = cursor.varint();
  const std::uint64_t suffix = cursor.varint();
  entry.info.size = cursor.varint();
  const std::string& before = previous.info.path;
  if (shared > before.size() || suffix > cursor.left())
    return malformed("an index entry points outside of its page");
  if (shared + suffix > limits.max_path_bytes) return over_limit("a path is longer than the limit");
  if (entry.info.size > limits.max_entry_bytes)
    return over_limit("an entry is larger than the limit");
  entry.info.path.assign(before, 0, shared).append(as_text(cursor.bytes(suffix)));
  cursor.copy(entry.info.digest);
  if (!cursor.ok() || !is_valid_path(entry.info.path))
    return malformed("an index entry has no valid path");
  // One spelling of each index: what could be shared is.
  if (shared_prefix(before, entry.info.path) != shared)
    return malformed("an index entry shares less with the one before than it could");
  if (frame >= frames.size())
    return malformed("the index names no such frame for " + quoted_path(entry.info.path));
  if (offset > UINT32_MAX) return not_in_frame(entry);
  entry.frame = static_cast<std::uint32_t>(frame);
  entry.offset = static_cast<std::uint32_t>(offset);
  if (entry.info.path <= previous.info.path)
    return malformed("the paths of the index do not ascend");
  return entry;
}

}  // namespace

void add_to_content_hash(Blake2b& hash, const EntryInfo& entry) {
  std::string line = to_hex(entry.digest);
  line.append(" ").append(std::to_string(entry.size)).append(" ").append(entry.path).append("\n");
  hash.update(as_bytes(line));
}

std::optional<Bytes> IndexBuilder::add_frame(const FrameRecord& frame, bool entries_begin) {
  // Only before a frame in which an entry begins: then every page has entries, and a large entry's
  // chunks stay in one.
  std::optional<Bytes> page;
  if (entries_begin && frames_.size() + entries_.size() >= kPageTarget) page = finish_page();
  position_ += frame.stored_size;
  ++frame_count_;
  append_le(frames_, frame.stored_size);
  append_le(frames_, frame.plain_size);
  append_bytes(frames_, frame.digest);
  return page;
}

void IndexBuilder::add_small(const EntryInfo& entry, std::size_t offset) {
  add_entry(entry, frame_count_ - 1, offset);
}

void IndexBuilder::add_large(const EntryInfo& entry) {
  add_entry(entry, frame_count_ - static_cast<std::uint32_t>(chunk_count(entry.size)), 0);
}

void IndexBuilder::add_entry(const EntryInfo& entry, std::uint32_t frame, std::size_t offset) {
  if (entry_count_++ == 0) first_path_ = entry.path;
  const std::size_t shared = shared_prefix(last_path_, entry.path);
  append_varint(entries_, frame - last_frame_);
  append_varint(entries_, offset);
  append_varint(entries_, shared);
  append_varint(entries_, entry.path.size() - shared);
  append_varint(entries_, entry.size);
  append_bytes(entries_, as_bytes(std::string_view(entry.path).substr(shared)));
  append_bytes(entries_, entry.digest);
  last_frame_ = frame;
  last_path_ = entry.path;
  ++root_.entry_count;
  root_.content_bytes += entry.size;
  add_to_content_hash(content_hash_, entry);
}

std::optional<Bytes> IndexBuilder::finish_page() {
  if (frame_count_ == 0) return std::nullopt;
  OA_ASSERT(entry_count_ > 0);
  Bytes page;
  const std::size_t payload_size = 8 + frames_.size() + entries_.size();
  page.reserve(kSkippableHeaderSize + payload_size);
  append_skippable_header(page, kIndexPageMagic, payload_size);
  append_le(page, frame_count_);
  append_le(page, entry_count_);
  append_bytes(page, frames_);
  append_bytes(page, entries_);
  const auto digest = blake3(ByteView(page).subspan(kSkippableHeaderSize));
  root_.pages.push_back(
      {position_, static_cast<std::uint32_t>(payload_size), digest, std::move(first_path_)});
  position_ += page.size();
  frame_count_ = entry_count_ = last_frame_ = 0;
  first_path_.clear();
  last_path_.clear();
  frames_.clear();
  entries_.clear();
  return page;
}

Bytes IndexBuilder::finish_root() {
  OA_ASSERT(frame_count_ == 0);
  root_.root_offset = position_;
  const Bytes payload = encode_index_root(root_);
  Bytes frame;
  append_skippable_header(frame, kIndexRootMagic, payload.size());
  append_bytes(frame, payload);
  return frame;
}

Bytes encode_index_root(const IndexRoot& root) {
  Bytes out(kRootTag.begin(), kRootTag.end());
  append_le(out, root.root_offset);
  append_le(out, root.entry_count);
  append_le(out, root.content_bytes);
  append_le(out, static_cast<std::uint32_t>(root.pages.size()));
  for (const auto& page : root.pages) {
    append_le(out, page.offset);
    append_le(out, page.payload_size);
    append_bytes(out, page.digest);
    append_le(out, static_cast<std::uint16_t>(page.first_path.size()));
    append_bytes(out, as_bytes(page.first_path));
  }
  return out;
}

Result<IndexRoot> decode_index_root(ByteView payload, const Limits& limits) {
  IndexCursor cursor(payload);
  IndexRoot root;
  if (as_text(cursor.bytes(kRootTag.size())) != kRootTag)
    return malformed("the index root has another form");
  root.root_offset = cursor.fixed<std::uint64_t>();
  root.entry_count = cursor.fixed<std::uint64_t>();
  root.content_bytes = cursor.fixed<std::uint64_t>();
  const auto page_count = cursor.fixed<std::uint32_t>();
  if (page_count > cursor.left() / kSmallestPageRecord)
    return malformed("the index root is too short");
  if (root.entry_count > limits.max_entries)
    return over_limit("the archive has more entries than the limit");
  root.pages.resize(page_count);
  std::uint64_t begin = 0;
  for (auto& page : root.pages) {
    page.offset = cursor.fixed<std::uint64_t>();
    page.payload_size = cursor.fixed<std::uint32_t>();
    cursor.copy(page.digest);
    page.first_path = as_text(cursor.bytes(cursor.fixed<std::uint16_t>()));
    if (!cursor.ok()) return malformed("the index root is too short");
    if (page.first_path.size() > limits.max_path_bytes)
      return over_limit("a path is longer than the limit");
    if (!is_valid_path(page.first_path))
      return malformed("an index page begins with no valid path");
    if (page.payload_size > limits.max_index_page_bytes)
      return over_limit("an index page is larger than the limit");
    if (page.offset <= begin || page.offset > root.root_offset ||
        kSkippableHeaderSize + page.payload_size > root.root_offset - page.offset)
      return malformed("index pages are out of place");
    if (&page != &root.pages.front() && page.first_path <= (&page - 1)->first_path) {
      return malformed("index pages are out of order");
    }
    begin = page.offset + kSkippableHeaderSize + page.payload_size;
  }
  if (!cursor.ok() || cursor.left() != 0) return malformed("the index root has another length");
  if (begin != root.root_offset) return malformed("the index root is out of place");
  if (root.pages.empty() != (root.entry_count == 0))
    return malformed("the index root counts entries that no page has");
  return root;
}

Result<IndexPage> decode_index_page(ByteView payload, std::uint64_t frames_offset,
                                    std::uint64_t frames_end, const Limits& limits) {
  IndexCursor cursor(payload);
  IndexPage page;
  const auto frame_count = cursor.fixed<std::uint32_t>();
  const auto entry_count = cursor.fixed<std::uint32_t>();
  if (frame_count > cursor.left() / kFrameRecordSize)
    return malformed("an index page is too short");
  page.frames.resize(frame_count);
  std::uint64_t offset = frames_offset;
  for (auto& frame : page.frames) {
    frame.stored_size = cursor.fixed<std::uint32_t>();
    frame.plain_size = cursor.fixed<std::uint32_t>();
    cursor.copy(frame.digest);
    frame.offset = offset;
    offset += frame.stored_size;
  }
  OA_TRY(check_frames(page.frames, frames_end - frames_offset, limits));
  if (entry_count == 0 || entry_count > cursor.left() / kSmallestEntry) {
    return malformed("an index page has no such number of entries");
  }
  page.entries.reserve(entry_count);
  std::size_t path_bytes = 0;  // shared prefixes let paths be far larger than the page
  const PageEntry none;
  for (std::uint32_t i = 0; i < entry_count; ++i) {
    OA_ASSIGN(auto entry,
              decode_entry(cursor, i == 0 ? none : page.entries.back(), page.frames, limits));
    if (is_large(entry.info.size) && !has_its_chunks(entry, page.frames)) {
      return malformed("the index names no such chunks of " + quoted_path(entry.info.path));
    }
    if (!is_large(entry.info.size) && !lies_in_frame(entry, page.frames)) {
      return not_in_frame(entry);
    }
    path_bytes += entry.info.path.size();
    if (path_bytes > limits.max_index_page_bytes)
      return over_limit("the paths of an index page are larger than the limit");
    page.entries.push_back(std::move(entry));
  }
  if (cursor.left() != 0) return malformed("an index page has more than its entries");
  return page;
}

}  // namespace oa::archive
