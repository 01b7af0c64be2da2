// The index of an archive: pages that describe runs of frames and the entries beginning in them,
// and a root over the pages (docs/format.md, "Index").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oa/archive/reader.h"

namespace oa::archive {

inline constexpr std::size_t kPageTarget = std::size_t{256} << 10;

/// One content frame. The digest is over the frame as it is stored, so that nothing unverified
/// reaches the decoder.
struct FrameRecord {
  std::uint32_t stored_size = 0;
  std::uint32_t plain_size = 0;
  Blake3Digest digest{};
  std::uint64_t offset = 0;  // in the file; known where a page is decoded
};

struct PageEntry {
  EntryInfo info;
  std::uint32_t frame = 0;   // within the page: the frame where the content begins
  std::uint32_t offset = 0;  // of the content in the frame's plain bytes
};

/// A page, decoded.
struct IndexPage {
  std::vector<FrameRecord> frames;
  std::vector<PageEntry> entries;
};

/// What the root says of one page.
struct PageRecord {
  std::uint64_t offset = 0;  // of the page's skippable frame; its frames lie right before it
  std::uint32_t payload_size = 0;
  Blake3Digest digest{};  // of the payload
  std::string first_path;
};

struct IndexRoot {
  std::uint64_t root_offset = 0;  // of the root's skippable frame
  std::uint64_t entry_count = 0;
  std::uint64_t content_bytes = 0;
  std::vector<PageRecord> pages;
};

/// Builds the index while frames and entries pass in file order. Holds one page and the root.
class IndexBuilder {
 public:
  /// Adds the next frame of the file. When that closes a page, the returned skippable frame must be
  /// written before the frame. `entries_begin`: whether an entry's header lies in the frame.
  std::optional<Bytes> add_frame(const FrameRecord& frame, bool entries_begin);
  /// Adds an entry whose content lies in the latest frame at `offset`.
  void add_small(const EntryInfo& entry, std::size_t offset);
  /// Adds an entry whose content is the latest frames.
  void add_large(const EntryInfo& entry);
  /// The last page; nullopt when there is none.
  std::optional<Bytes> finish_page();
  /// The root's skippable frame. Call last.
  Bytes finish_root();

  std::uint64_t entry_count() const { return root_.entry_count; }
  std::uint64_t content_bytes() const { return root_.content_bytes; }
  Blake2bDigest finish_content_hash() { return content_hash_.finish(); }

 private:
  void add_entry(const EntryInfo& entry, std::uint32_t frame, std::size_t offset);
  IndexRoot root_;
  Blake2b content_hash_;
  std::uint64_t position_ = 0;  // in the file, behind what was added
  std::uint32_t frame_count_ = 0;
  std::uint32_t entry_count_ = 0;
  std::uint32_t last_frame_ = 0;
  std::string first_path_, last_path_;
  Bytes frames_, entries_;
};

/// Feeds one entry to the content hash.
void add_to_content_hash(Blake2b& hash, const EntryInfo& entry);

Bytes encode_index_root(const IndexRoot& root);
Result<IndexRoot> decode_index_root(ByteView payload, const Limits& limits);

/// `payload` has been checked against the root. Whatever a page says stays within its frames and
/// the limits; kArchiveMalformed or kArchiveLimit otherwise.
Result<IndexPage> decode_index_page(ByteView payload, std::uint64_t frames_offset,
                                    std::uint64_t frames_end, const Limits& limits);

}  // namespace oa::archive
